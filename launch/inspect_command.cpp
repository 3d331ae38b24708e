#include <fmt/format.h>

#include <boost/json.hpp>

#include "launch/command.h"
#include "launch/network_text.h"
#include "launch/options.h"
#include "layers/graph/receptive_field.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

boost::json::object layer_json(const Graph& graph, int index, std::int64_t batch,
                               const std::vector<ReceptiveFields>& fields) {
  const Layer& layer = graph.layers()[static_cast<std::size_t>(index)];
  const ReceptiveFields& field = fields[static_cast<std::size_t>(layer.output)];
  boost::json::array inputs;
  for (const int input : layer.inputs)
    inputs.emplace_back(graph.activations()[static_cast<std::size_t>(input)].name);
  const Shape out = graph.output_shape(layer);
  return {{"name", layer.name},
          {"type", type_of(layer.op)},
          {"inputs", std::move(inputs)},
          {"output", {out.channels, out.height, out.width}},
          {"parameters", layer.parameter_elements()},
          {"macs", macs_of(layer.op, graph.input_shapes(layer))},
          {"auxiliary", graph.auxiliary(index)},
          {"activation_bytes", out.elements() * 4 * batch},
          {"receptive_field",
           {{"size", {field.y.size, field.x.size}},
            {"stride", {field.y.stride, field.x.stride}},
            {"offset", {field.y.offset, field.x.offset}}}}};
}

void print_json(const Graph& graph, std::int64_t batch) {
  const std::vector<ReceptiveFields> fields = receptive_fields(graph);
  boost::json::array layers;
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i)
    layers.push_back(layer_json(graph, i, batch, fields));
  const Shape in = graph.input();
  fmt::print("{}\n", boost::json::serialize(
                         boost::json::object{{"name", graph.name()},
                                             {"input", {in.channels, in.height, in.width}},
                                             {"batch", batch},
                                             {"parameters", graph.parameters()},
                                             {"parameters_training", graph.parameters_training()},
                                             {"macs", graph.macs()},
                                             {"activations", graph.activation_elements()},
                                             {"activation_bytes", graph.activation_elements() * 4 * batch},
                                             {"layers", std::move(layers)}}));
}

}  // namespace

int inspect_command(const std::vector<std::string>& arguments) {
  CommandLine line(
      "inspect NET.toml [options]",
      "Layers, shapes, parameters, multiply-accumulates and receptive fields of a network file.");
  line.positional("NET.toml", "network file");
  line.options().add_options()("batch", po::value<std::int64_t>()->default_value(1)->value_name("N"),
                               "images at a time, for the bytes")("json", po::bool_switch(),
                                                                  "print one JSON object")(
      "dot", po::bool_switch(),
      "print a drawing for Graphviz: convoy inspect NET.toml --dot | dot -Tsvg > net.svg");
  if (!line.parse(arguments)) return 0;
  const std::int64_t batch = line.number("batch");
  if (batch < 1 || batch > 1 << 20)
    fail(ExitCode::usage, "--batch {} is out of range; it must be from 1 to {}", batch, 1 << 20);
  if (line.flag("json") && line.flag("dot")) fail(ExitCode::usage, "--json and --dot exclude each other");
  const Graph graph = read_network(line.required("NET.toml"));
  if (line.flag("json")) {
    print_json(graph, batch);
  } else {
    fmt::print("{}", line.flag("dot") ? network_dot(graph) : network_table(graph, batch));
  }
  return 0;
}

}  // namespace convoy
