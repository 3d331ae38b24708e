#include <fmt/format.h>

#include <boost/json.hpp>

#include "launch/command.h"
#include "launch/options.h"
#include "layers/core/bytes.h"
#include "layers/graph/receptive_field.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

std::string shape_text(Shape shape) {
  return shape.pixels() == 1 ? fmt::format("{}", shape.channels)
                             : fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

boost::json::object layer_json(const Graph& graph, const Layer& layer, const ReceptiveFields& field,
                               std::int64_t batch) {
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
          {"activation_bytes", out.elements() * 4 * batch},
          {"receptive_field",
           {{"size", {field.y.size, field.x.size}},
            {"stride", {field.y.stride, field.x.stride}},
            {"offset", {field.y.offset, field.x.offset}}}}};
}

void print_json(const Graph& graph, std::int64_t batch) {
  const std::vector<ReceptiveFields> fields = receptive_fields(graph);
  boost::json::array layers;
  for (const Layer& layer : graph.layers())
    layers.push_back(layer_json(graph, layer, fields[static_cast<std::size_t>(layer.output)], batch));
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

void print_table(const Graph& graph, std::int64_t batch) {
  const std::vector<ReceptiveFields> fields = receptive_fields(graph);
  const double all = static_cast<double>(std::max<std::int64_t>(graph.macs(), 1));
  fmt::print("{}: input {}, batch {}\n\n{:<16}{:<17}{:>14}{:>13}{:>15}{:>7}{:>13}  {}\n", graph.name(),
             shape_text(graph.input()), batch, "layer", "type", "output", "parameters", "MACs", "share",
             "activations", "sees (stride)");
  for (const Layer& layer : graph.layers()) {
    const ReceptiveField& field = fields[static_cast<std::size_t>(layer.output)].x;
    const std::int64_t macs = macs_of(layer.op, graph.input_shapes(layer));
    fmt::print("{:<16}{:<17}{:>14}{:>13}{:>15}{:>6.1f}%{:>13}  {} ({})\n", layer.name, type_of(layer.op),
               shape_text(graph.output_shape(layer)), layer.parameter_elements(), macs,
               100 * static_cast<double>(macs) / all,
               format_bytes(graph.output_shape(layer).elements() * 4 * batch), field.size, field.stride);
  }
  fmt::print(
      "\nparameters {} ({} in fp32), MACs of one image {}, activations {} values an image ({} at batch {})\n",
      graph.parameters(), format_bytes(graph.parameters() * 4), graph.macs(), graph.activation_elements(),
      format_bytes(graph.activation_elements() * 4 * batch), batch);
  if (graph.parameters_training() != graph.parameters()) {
    fmt::print("that is without auxiliary heads; with them, in training, {} parameters\n",
               graph.parameters_training());
  }
}

}  // namespace

int inspect_command(const std::vector<std::string>& arguments) {
  CommandLine line(
      "inspect NET.toml [options]",
      "Layers, shapes, parameters, multiply-accumulates and receptive fields of a network file.");
  line.positional("NET.toml", "network file");
  line.options().add_options()("batch", po::value<std::int64_t>()->default_value(1)->value_name("N"),
                               "images at a time, for the bytes")("json", po::bool_switch(),
                                                                  "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const std::int64_t batch = line.number("batch");
  if (batch < 1 || batch > 1 << 20)
    fail(ExitCode::usage, "--batch {} is out of range; it must be from 1 to {}", batch, 1 << 20);
  const Graph graph = read_network(line.required("NET.toml"));
  if (line.flag("json")) {
    print_json(graph, batch);
  } else {
    print_table(graph, batch);
  }
  return 0;
}

}  // namespace convoy
