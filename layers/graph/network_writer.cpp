#include "layers/graph/graph.h"
#include "layers/graph/toml_row.h"

namespace convoy {

std::string network_to_toml(const Graph& graph) {
  TomlRow input;
  input.add("channels", graph.input().channels);
  input.add("height", graph.input().height);
  input.add("width", graph.input().width);
  std::string text = "name = " + toml_quote(graph.name()) + "\ninput = " + input.text() + "\nlayers = [\n";
  int above = 0;
  for (const Layer& layer : graph.layers()) {
    TomlRow row;
    row.add("name", std::string_view(layer.name));
    row.add("type", type_of(layer.op));
    std::vector<std::string> from;
    for (const int i : layer.inputs) from.push_back(graph.activations()[static_cast<std::size_t>(i)].name);
    if (from.size() == 1) {
      if (layer.inputs[0] != above) row.add("from", std::string_view(from[0]));
    } else {
      row.add("from", from);
    }
    write_layer_op(layer.op, row);
    text += "  " + row.text() + ",\n";
    above = layer.output;
  }
  return text + "]\n";
}

}  // namespace convoy
