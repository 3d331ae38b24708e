// The loops of max pooling over one map, included by one source file for each instruction set. Everything is
// local to the including file, and nothing inline of other headers is called: code of a newer instruction set
// must not leak into functions that the linker shares.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "layers/cpu/max_pool.h"

namespace convoy::cpu {
namespace {

/// The part of a window that lies in the input, along one axis.
struct Span {
  std::int64_t begin;
  std::int64_t end;
};

Span inside(std::int64_t output, std::int64_t stride, std::int64_t padding, std::int64_t kernel,
            std::int64_t input) {
  const std::int64_t start = output * stride - padding;
  return {start < 0 ? -start : 0, kernel < input - start ? kernel : input - start};
}

/// N values side by side; the compiler maps them to registers of whatever width there is.
template <int N>
struct Lanes {
  typedef float Float __attribute__((vector_size(4 * N)));
  typedef std::int32_t Int __attribute__((vector_size(4 * N)));
  typedef std::uint8_t Byte __attribute__((vector_size(N)));
};

/// N neighbouring values of one output pixel: their maxima over a window and where these were.
template <int N>
[[gnu::always_inline]] inline void maximum(const MaxPoolGeometry& g, const float* corner, Span ys, Span xs,
                                           float* output, std::uint8_t* positions) {
  using L = Lanes<N>;
  typename L::Float best;
  typename L::Int where = typename L::Int{} + static_cast<std::int32_t>(ys.begin * g.kernel_x + xs.begin);
  const std::int64_t row = g.in_x * g.inner;
  std::memcpy(&best, corner + ys.begin * row + xs.begin * g.inner, sizeof best);
  for (std::int64_t y = ys.begin; y < ys.end; ++y) {
    for (std::int64_t x = xs.begin; x < xs.end; ++x) {
      typename L::Float values;
      std::memcpy(&values, corner + y * row + x * g.inner, sizeof values);
      const typename L::Int larger = (values > best) | (values != values);
      best = larger ? values : best;
      where = larger ? typename L::Int{} + static_cast<std::int32_t>(y * g.kernel_x + x) : where;
    }
  }
  std::memcpy(output, &best, sizeof best);
  if (positions == nullptr) return;
  const auto bytes = __builtin_convertvector(where, typename L::Byte);
  std::memcpy(positions, &bytes, sizeof bytes);
}

/// Adds the gradients of N neighbouring values of one output pixel where their maxima were.
template <int N>
[[gnu::always_inline]] inline void scatter(const MaxPoolGeometry& g, const float* gradient,
                                           const std::uint8_t* positions, Span ys, Span xs, float* corner) {
  using L = Lanes<N>;
  typename L::Byte bytes;
  typename L::Float values;
  std::memcpy(&bytes, positions, sizeof bytes);
  std::memcpy(&values, gradient, sizeof values);
  const auto where = __builtin_convertvector(bytes, typename L::Int);
  const std::int64_t row = g.in_x * g.inner;
  for (std::int64_t y = ys.begin; y < ys.end; ++y) {
    for (std::int64_t x = xs.begin; x < xs.end; ++x) {
      typename L::Float sum;
      float* target = corner + y * row + x * g.inner;
      std::memcpy(&sum, target, sizeof sum);
      sum += where == static_cast<std::int32_t>(y * g.kernel_x + x) ? values : typename L::Float{};
      std::memcpy(target, &sum, sizeof sum);
    }
  }
}

/// Calls `work<N>(c)` for pieces of N values that cover [0, count).
template <class Work>
[[gnu::always_inline]] inline void in_pieces(std::int64_t count, Work&& work) {
  std::int64_t c = 0;
  for (; c + 16 <= count; c += 16) work(std::integral_constant<int, 16>{}, c);
  for (; c + 4 <= count; c += 4) work(std::integral_constant<int, 4>{}, c);
  for (; c < count; ++c) work(std::integral_constant<int, 1>{}, c);
}

void forward_map(const MaxPoolGeometry& g, const float* map, float* output, std::uint8_t* positions) {
  for (std::int64_t y = 0; y < g.out_y; ++y) {
    const Span ys = inside(y, g.stride_y, g.padding_y, g.kernel_y, g.in_y);
    for (std::int64_t x = 0; x < g.out_x; ++x) {
      const Span xs = inside(x, g.stride_x, g.padding_x, g.kernel_x, g.in_x);
      const float* corner =
          map + ((y * g.stride_y - g.padding_y) * g.in_x + x * g.stride_x - g.padding_x) * g.inner;
      const std::int64_t at = (y * g.out_x + x) * g.inner;
      in_pieces(
          g.inner, [&](auto lanes, std::int64_t c) __attribute__((always_inline)) {
            maximum<lanes.value>(g, corner + c, ys, xs, output + at + c,
                                 positions == nullptr ? nullptr : positions + at + c);
          });
    }
  }
}

void backward_map(const MaxPoolGeometry& g, const float* gradient, const std::uint8_t* positions,
                  float* map) {
  const std::int64_t values = g.in_y * g.in_x * g.inner;
  for (std::int64_t i = 0; i < values; ++i) map[i] = 0;
  for (std::int64_t y = 0; y < g.out_y; ++y) {
    const Span ys = inside(y, g.stride_y, g.padding_y, g.kernel_y, g.in_y);
    for (std::int64_t x = 0; x < g.out_x; ++x) {
      const Span xs = inside(x, g.stride_x, g.padding_x, g.kernel_x, g.in_x);
      float* corner =
          map + ((y * g.stride_y - g.padding_y) * g.in_x + x * g.stride_x - g.padding_x) * g.inner;
      const std::int64_t at = (y * g.out_x + x) * g.inner;
      in_pieces(
          g.inner, [&](auto lanes, std::int64_t c) __attribute__((always_inline)) {
            scatter<lanes.value>(g, gradient + at + c, positions + at + c, ys, xs, corner + c);
          });
    }
  }
}

}  // namespace
}  // namespace convoy::cpu
