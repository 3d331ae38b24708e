#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "launch/network_text.h"
#include "layers/core/bytes.h"
#include "layers/core/text.h"
#include "layers/graph/receptive_field.h"

namespace convoy {
namespace {

constexpr std::int64_t kValueBytes = 4;

/// "12.3", or "" for nothing of nothing.
std::string percent(std::int64_t part, std::int64_t whole) {
  if (part == 0 || whole == 0) return "";
  return fmt::format("{:.1f}", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

/// "7", or "7x3" where height and width differ.
std::string both(std::int64_t y, std::int64_t x) {
  return y == x ? fmt::format("{}", y) : fmt::format("{}x{}", y, x);
}

std::string count_or_blank(std::int64_t count) { return count == 0 ? "" : fmt::format("{}", count); }

/// The cells of a row, each a text.
struct Row {
  std::string name, type, output, parameters, parameters_share, macs, macs_share, bytes, sees, stride, offset;
};

class Table {
 public:
  explicit Table(const Graph& graph) : name_width_(12) {
    for (const Layer& layer : graph.layers()) name_width_ = std::max(name_width_, layer.name.size() + 1);
  }

  void add(const Row& row) {
    std::string line;
    fmt::format_to(std::back_inserter(line),
                   "{:<{}} {:<15} {:>11} {:>11} {:>5} {:>13} {:>5} {:>10} {:>7} {:>6} {:>6}", row.name,
                   name_width_, row.type, row.output, row.parameters, row.parameters_share, row.macs,
                   row.macs_share, row.bytes, row.sees, row.stride, row.offset);
    text_ += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    width_ = std::max(width_, line.size());
  }
  void rule() { text_ += std::string(width_, '-') + "\n"; }
  std::string& text() { return text_; }

 private:
  std::size_t name_width_;
  std::size_t width_ = 0;
  std::string text_;
};

Row row_of(const Graph& graph, int index, const ReceptiveFields& field, std::int64_t batch) {
  const Layer& layer = graph.layers()[static_cast<std::size_t>(index)];
  const std::int64_t macs = macs_of(layer.op, graph.input_shapes(layer));
  const std::int64_t parameters = layer.parameter_elements();
  const bool counts = !graph.auxiliary(index);
  return {layer.name + (counts ? "" : "*"),
          std::string(type_of(layer.op)),
          shape_text(graph.output_shape(layer)),
          count_or_blank(parameters),
          counts ? percent(parameters, graph.parameters()) : "",
          count_or_blank(macs),
          counts ? percent(macs, graph.macs()) : "",
          format_bytes(graph.output_shape(layer).elements() * kValueBytes * batch),
          both(field.y.size, field.x.size),
          both(field.y.stride, field.x.stride),
          both(field.y.offset, field.x.offset)};
}

}  // namespace

std::string shape_text(Shape shape) {
  return shape.pixels() == 1 ? fmt::format("{}", shape.channels)
                             : fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

std::string network_table(const Graph& graph, std::int64_t batch) {
  const std::vector<ReceptiveFields> fields = receptive_fields(graph);
  const std::int64_t activations = graph.activation_elements() * kValueBytes * batch;
  Table table(graph);
  table.add({"layer", "type", "output", "parameters", "%", "MACs", "%", "bytes", "sees", "stride", "offset"});
  table.rule();
  table.add({"input", "", shape_text(graph.input()), "", "", "", "",
             format_bytes(graph.input().elements() * kValueBytes * batch), "", "", ""});
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i) {
    const Layer& layer = graph.layers()[static_cast<std::size_t>(i)];
    table.add(row_of(graph, i, fields[static_cast<std::size_t>(layer.output)], batch));
  }
  table.rule();
  table.add({"sum", fmt::format("{} layers", graph.layers().size()), "",
             fmt::format("{}", graph.parameters()), "", fmt::format("{}", graph.macs()), "",
             format_bytes(activations), "", "", ""});
  std::string text =
      fmt::format("{}, {} in fp32\n\n{}\n", graph.name(), counted(batch, "image"), table.text());
  text += fmt::format("parameters {} in fp32; activations {} values an image\n",
                      format_bytes(graph.parameters() * kValueBytes), graph.activation_elements());
  if (graph.parameters_training() != graph.parameters()) {
    text += fmt::format(
        "* only in training; the sums are without auxiliary heads, with them there are {} parameters\n",
        graph.parameters_training());
  }
  return text;
}

}  // namespace convoy
