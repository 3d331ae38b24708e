#include "layers/graph/receptive_field.h"

#include <algorithm>

namespace convoy {
namespace {

ReceptiveField through(const ReceptiveField& in, const Window& window, std::int64_t image) {
  if (window.whole) return {image, in.stride, 0};
  return {in.size + (window.kernel - 1) * window.dilation * in.stride,
          std::max<std::int64_t>(in.stride * window.stride / window.upscale, 1),
          in.offset - window.padding * in.stride};
}

ReceptiveField united(const ReceptiveField& a, const ReceptiveField& b) {
  const std::int64_t begin = std::min(a.offset, b.offset);
  const std::int64_t end = std::max(a.offset + a.size, b.offset + b.size);
  return {end - begin, std::max(a.stride, b.stride), begin};
}

}  // namespace

std::vector<ReceptiveFields> receptive_fields(const Graph& graph) {
  std::vector<ReceptiveFields> fields(graph.activations().size());
  const Shape image = graph.input();
  for (const Layer& layer : graph.layers()) {
    ReceptiveFields in = fields[static_cast<std::size_t>(layer.inputs[0])];
    for (const int other : layer.inputs) {
      in.y = united(in.y, fields[static_cast<std::size_t>(other)].y);
      in.x = united(in.x, fields[static_cast<std::size_t>(other)].x);
    }
    fields[static_cast<std::size_t>(layer.output)] = {through(in.y, window_y_of(layer.op), image.height),
                                                      through(in.x, window_x_of(layer.op), image.width)};
  }
  return fields;
}

}  // namespace convoy
