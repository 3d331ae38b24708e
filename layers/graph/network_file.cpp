#include <fmt/format.h>

#include <map>

#include "layers/core/text.h"
#include "layers/graph/graph.h"
#include "layers/graph/read_layer.h"
#include "layers/graph/toml_table.h"

namespace convoy {
namespace {

Shape read_input(TomlTable& network) {
  const toml::node* node = network.node("input");
  if (node == nullptr || !node->is_table()) {
    network.refuse(
        "input", "expected the shape of an image, as in input = { channels = 3, height = 224, width = 224 }");
  }
  TomlTable input(*node->as_table(), network.file(), "input");
  const Shape shape{required(input, "channels", input.integer("channels", 1, kMostChannels)),
                    required(input, "height", input.integer("height", 1, kMostChannels)),
                    required(input, "width", input.integer("width", 1, kMostChannels))};
  input.finish();
  return shape;
}

/// One row of `layers`. `above` is the name of the row before it; `number` counts rows of its type, for its
/// name.
Graph::Entry read_row(const toml::table& row, const std::string& file, const std::string& above,
                      std::map<std::string, int>& numbers) {
  TomlTable anonymous(row, file, "layer");
  const std::string type = required(anonymous, "type", anonymous.word("type", layer_type_names()));
  const int number = ++numbers[type];
  const std::string name = anonymous.string("name").value_or(fmt::format("{}{}", type, number));
  if (name.empty()) anonymous.refuse("name", "must not be empty");

  TomlTable table(row, file, fmt::format("layer \"{}\" ({})", name, type));
  for (const char* common : {"name", "type"}) (void)table.node(common);
  Graph::Entry entry{name, {}, table.strings("from").value_or(std::vector<std::string>{above}), table.mark()};
  entry.op = read_layer_op(type, table);
  table.finish();
  return entry;
}

Graph build(const toml::table& root, const std::string& file) {
  TomlTable network(root, file, "network");
  const std::string name = required(network, "name", network.string("name"));
  const Shape input = read_input(network);
  const toml::node* rows = network.node("layers");
  if (rows == nullptr || !rows->is_array() || rows->as_array()->empty()) {
    network.refuse("layers", "expected an array of layers, one { type = \"...\" } a line");
  }
  network.finish();
  std::vector<Graph::Entry> entries;
  std::map<std::string, int> numbers;
  std::string above = "input";
  for (const toml::node& row : *rows->as_array()) {
    if (!row.is_table()) {
      fail(ExitCode::usage, "{}layers: expected {{ type = \"...\" }}", mark_of(row, file).prefix());
    }
    entries.push_back(read_row(*row.as_table(), file, above, numbers));
    above = entries.back().name;
  }
  return Graph(name, input, std::move(entries));
}

}  // namespace

Graph read_network(const std::string& path) { return build(parse_toml_file(path), path); }

Graph parse_network(std::string_view text, const std::string& file_name) {
  return build(parse_toml_text(text, file_name), file_name);
}

}  // namespace convoy
