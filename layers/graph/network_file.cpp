#include "layers/graph/expander.h"
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

Graph build(const toml::table& root, const std::string& file) {
  if (root.contains("network") && !root.contains("layers")) {
    fail(ExitCode::usage,
         "{}: is a job file; give the file of a network, such as the one that its key network names", file);
  }
  TomlTable network(root, file, "network");
  const std::string name = required(network, "name", network.string("name"));
  const Shape input = read_input(network);
  const toml::array* rows = read_rows(network);
  const Blocks blocks = read_blocks(network);
  network.finish();
  return Graph(name, input, Expander(file, blocks).expand(*rows));
}

}  // namespace

Graph read_network(const std::string& path) { return build(parse_toml_file(path), path); }

Graph parse_network(std::string_view text, const std::string& file_name) {
  return build(parse_toml_text(text, file_name), file_name);
}

}  // namespace convoy
