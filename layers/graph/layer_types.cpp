#include "layers/graph/layer_types.h"

#include <fmt/format.h>

#include <algorithm>

namespace convoy {

std::int64_t ParameterSpec::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t dim : dims) product *= dim;
  return product;
}

std::pair<std::int64_t, std::int64_t> same_padding(std::int64_t input, const Window& window) {
  const std::int64_t extent = (window.kernel - 1) * window.dilation + 1;
  const std::int64_t windows = (input + window.stride - 1) / window.stride;
  const std::int64_t padding = std::max<std::int64_t>((windows - 1) * window.stride + extent - input, 0);
  return {padding / 2, padding - padding / 2};
}

std::int64_t output_size(std::int64_t input, const Window& window, std::int64_t padding_end, bool round_up,
                         std::string_view axis) {
  const std::int64_t extent = (window.kernel - 1) * window.dilation + 1;
  const std::int64_t padded = input + window.padding + padding_end;
  if (extent > padded) {
    throw ShapeError(fmt::format("its kernel of {} is larger than its padded input of {} along the {}",
                                 extent, padded, axis));
  }
  std::int64_t size = (padded - extent) / window.stride + 1;
  if (round_up && (padded - extent) % window.stride != 0) {
    ++size;
    if ((size - 1) * window.stride >= input + window.padding) --size;
  }
  return size;
}

}  // namespace convoy
