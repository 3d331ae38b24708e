#include "layers/graph/block.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/text.h"
#include "layers/graph/read_layer.h"

namespace convoy {
namespace {

/// Keys of a row that say where it stands; no parameter can be called so.
const std::vector<std::string> kKeysOfRows{"block", "from", "name", "repeat", "type", "when"};

void add_parameter(Block& block, std::string name, const toml::node* otherwise, const TomlTable& table) {
  if (!is_parameter_name(name)) {
    table.refuse("parameters", fmt::format("\"{}\" is no name; letters, digits and \"_\" make one", name));
  }
  if (std::find(kKeysOfRows.begin(), kKeysOfRows.end(), name) != kKeysOfRows.end())
    table.refuse("parameters", fmt::format("\"{}\" is a key of every layer; choose another name", name));
  for (const Block::Parameter& other : block.parameters) {
    if (other.name == name) table.refuse("parameters", fmt::format("\"{}\" stands there twice", name));
  }
  block.parameters.push_back({std::move(name), otherwise});
}

/// ["width", { stride = 1, project = false }]: the names, with their defaults in tables.
void read_parameters(Block& block, TomlTable& table) {
  const toml::node* node = table.node("parameters");
  if (node == nullptr) return;
  const std::string expected = "expected an array of names and defaults, as in [\"width\", { stride = 1 }]";
  if (!node->is_array()) table.refuse("parameters", expected);
  for (const toml::node& item : *node->as_array()) {
    if (item.is_string()) {
      add_parameter(block, item.as_string()->get(), nullptr, table);
    } else if (const toml::table* defaults = item.as_table()) {
      for (const auto& [name, value] : *defaults) {
        if (value.is_table()) table.refuse("parameters", "a default cannot be a table");
        add_parameter(block, std::string(name.str()), &value, table);
      }
    } else {
      table.refuse("parameters", expected);
    }
  }
}

/// Calls `visit` with every text in `node`.
template <class Visit>
void for_each_text(const toml::node& node, const Visit& visit) {
  if (const auto* text = node.as_string()) visit(*text);
  if (const toml::array* items = node.as_array()) {
    for (const toml::node& item : *items) for_each_text(item, visit);
  }
  if (const toml::table* fields = node.as_table()) {
    for (const auto& [key, value] : *fields) for_each_text(value, visit);
  }
}

void check_names(const Block& block, const TomlTable& table) {
  std::vector<std::string> known;
  for (const Block::Parameter& parameter : block.parameters) known.push_back(parameter.name);
  std::set<std::string> used;
  for_each_text(*block.layers, [&](const toml::value<std::string>& text) {
    for (const std::string& name : names_in_formula(text.get())) {
      used.insert(name);
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      fail(ExitCode::usage, "{}{}: \"${}\" is no parameter{}; the parameters are {}",
           mark_of(text, table.file()).prefix(), table.what(), name, did_you_mean(name, known),
           known.empty() ? "none" : join(known));
    }
  });
  for (const std::string& name : known) {
    if (!used.contains(name))
      table.refuse("parameters", fmt::format("no layer of the block uses \"${}\"; take it out", name));
  }
}

Block read_block(const std::string& name, const toml::table& body, const std::string& file) {
  TomlTable table(body, file, fmt::format("block \"{}\"", name));
  Block block;
  block.name = name;
  read_parameters(block, table);
  block.layers = read_rows(table);
  block.output = table.string("output").value_or("");
  block.output_mark = table.mark("output");
  table.finish();
  check_names(block, table);
  return block;
}

/// A value must be of the type of the default; an integer is a number too.
bool fits_default(const toml::node& value, const toml::node& otherwise) {
  return value.type() == otherwise.type() || (value.is_integer() && otherwise.is_floating_point());
}

}  // namespace

Blocks read_blocks(TomlTable& network) {
  Blocks blocks;
  const toml::node* node = network.node("blocks");
  if (node == nullptr) return blocks;
  if (!node->is_table()) network.refuse("blocks", "expected tables, as in [blocks.residual]");
  for (const auto& [name, body] : *node->as_table()) {
    if (!body.is_table())
      fail(ExitCode::usage, "{}blocks: expected tables, as in [blocks.{}]",
           mark_of(body, network.file()).prefix(), name.str());
    blocks.emplace(name.str(), read_block(std::string(name.str()), *body.as_table(), network.file()));
  }
  return blocks;
}

Scope read_use(const Block& block, TomlTable& row, const std::string& within) {
  Scope scope(within);
  for (const Block::Parameter& parameter : block.parameters) {
    const toml::node* given = row.node(parameter.name);
    if (given == nullptr && parameter.otherwise == nullptr) {
      fail(ExitCode::usage, "{}{}: key \"{}\" is missing, a parameter of the block", row.mark().prefix(),
           row.what(), parameter.name);
    }
    if (given != nullptr && given->is_table()) row.refuse(parameter.name, "a parameter cannot be a table");
    if (given != nullptr && parameter.otherwise != nullptr && !fits_default(*given, *parameter.otherwise)) {
      row.refuse(parameter.name, fmt::format("expected {}, as its default is, found {}",
                                             type_word(*parameter.otherwise), type_word(*given)));
    }
    scope.set(parameter.name, given != nullptr ? *given : *parameter.otherwise);
  }
  return scope;
}

}  // namespace convoy
