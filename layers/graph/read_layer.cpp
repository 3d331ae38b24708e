#include "layers/graph/read_layer.h"

#include <fmt/format.h>

namespace convoy {

const toml::array* read_rows(TomlTable& table) {
  const toml::node* rows = table.node("layers");
  if (rows == nullptr || !rows->is_array() || rows->as_array()->empty())
    table.refuse("layers", "expected an array of layers, one { type = \"...\" } a line");
  for (const toml::node& row : *rows->as_array()) {
    if (!row.is_table())
      fail(ExitCode::usage, "{}layers: expected {{ type = \"...\" }}", mark_of(row, table.file()).prefix());
  }
  return rows->as_array();
}

Padding read_padding(TomlTable& table, bool sides) {
  const toml::node* node = table.node("padding");
  if (node == nullptr) return {};
  if (node->is_string()) {
    (void)table.word("padding", {"same"});
    return {.same = true};
  }
  if (const toml::table* each = node->as_table(); each != nullptr && sides) {
    TomlTable fields = table.inner("padding", *each);
    const auto side = [&](std::string_view key) { return fields.integer(key, 0, kMostWindow).value_or(0); };
    const Padding padding{side("top"), side("left"), side("bottom"), side("right")};
    fields.finish();
    return padding;
  }
  if (!node->is_integer() && !node->is_array()) {
    table.refuse("padding", fmt::format("expected an integer, [height, width]{} \"same\"",
                                        sides ? ", { top, left, bottom, right } or" : " or"));
  }
  const auto [y, x] = *table.pair("padding", 0, kMostWindow);
  return {y, x, y, x};
}

Initializer read_initializer(TomlTable& table, std::string_view key, Initializer otherwise, bool bilinear) {
  const toml::node* node = table.node(key);
  if (node == nullptr) return otherwise;
  if (node->is_string()) {
    std::vector<std::string> words{"msra", "xavier"};
    if (bilinear) words.push_back("bilinear");
    const std::string word = *table.word(key, words);
    if (word == "bilinear") return {Initializer::Kind::bilinear, 0};
    return {word == "msra" ? Initializer::Kind::msra : Initializer::Kind::xavier, 0};
  }
  const toml::table* inner = node->as_table();
  if (inner == nullptr || inner->size() != 1) {
    table.refuse(key, "expected \"msra\", \"xavier\", { gaussian = deviation } or { constant = value }");
  }
  TomlTable fields = table.inner(key, *inner);
  const auto gaussian = fields.number("gaussian", 0, 1e6);
  const auto constant = fields.number("constant", -1e6, 1e6);
  fields.finish();
  if (gaussian) return {Initializer::Kind::gaussian, *gaussian};
  return {Initializer::Kind::constant, *constant};
}

}  // namespace convoy
