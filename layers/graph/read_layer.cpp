#include "layers/graph/read_layer.h"

namespace convoy {

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
  TomlTable fields(*inner, table.file(), table.what() + ": " + std::string(key));
  const auto gaussian = fields.number("gaussian", 0, 1e6);
  const auto constant = fields.number("constant", -1e6, 1e6);
  fields.finish();
  if (gaussian) return {Initializer::Kind::gaussian, *gaussian};
  return {Initializer::Kind::constant, *constant};
}

}  // namespace convoy
