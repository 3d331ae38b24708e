#pragma once

#include <cstdint>

namespace convoy::cpu {

/// Pooling over maps that lie as outer × height × width × inner: see ImageLayout.
struct PoolGeometry {
  std::int64_t outer = 0, inner = 0;
  std::int64_t in_y = 0, in_x = 0;
  std::int64_t out_y = 0, out_x = 0;
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_y = 0, padding_x = 0;

  [[gnu::always_inline]] std::int64_t in_map() const { return in_y * in_x * inner; }
  [[gnu::always_inline]] std::int64_t out_map() const { return out_y * out_x * inner; }
};

// Local to each file that includes this: they are compiled for different instruction sets.
namespace {

/// A range along one axis, without its end.
struct Span {
  std::int64_t begin;
  std::int64_t end;
};

/// The part of an output's window that lies in the input, along one axis.
[[maybe_unused]] Span inside(std::int64_t output, std::int64_t stride, std::int64_t padding,
                             std::int64_t kernel, std::int64_t input) {
  const std::int64_t start = output * stride - padding;
  return {start < 0 ? -start : 0, kernel < input - start ? kernel : input - start};
}

/// The outputs whose windows hold one input pixel, along one axis, and the place of the pixel in the window
/// of the first of them.
struct Reach {
  Span outputs;
  std::int64_t place;
};

/// Moves `reach` on from pixel - 1 to `pixel`: no division, unlike the formula.
[[maybe_unused]] void move_to(std::int64_t pixel, std::int64_t stride, std::int64_t padding,
                              std::int64_t kernel, std::int64_t outputs, Reach& reach) {
  Span& span = reach.outputs;
  while (span.end < outputs && span.end * stride - padding <= pixel) ++span.end;
  while (span.begin < span.end && span.begin * stride - padding + kernel <= pixel) ++span.begin;
  reach.place = pixel + padding - span.begin * stride;
}

}  // namespace
}  // namespace convoy::cpu
