// The loops of max pooling over one map, included by one source file for each instruction set. Everything is
// local to the including file, and nothing inline of other headers is called: code of a newer instruction set
// must not leak into functions that the linker shares.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "layers/cpu/max_pool.h"

namespace convoy::cpu {
namespace {

/// N values side by side; the compiler maps them to registers of whatever width there is.
template <int N>
struct Lanes {
  typedef float Float __attribute__((vector_size(4 * N)));
  typedef std::int32_t Int __attribute__((vector_size(4 * N)));
  typedef std::uint16_t Half __attribute__((vector_size(2 * N)));
  typedef std::uint8_t Byte __attribute__((vector_size(N)));
};

/// N neighbouring fp32 values, or bf16 values (the upper halves of fp32 ones) as fp32.
template <int N>
[[gnu::always_inline]] inline void load(const float* from, typename Lanes<N>::Float& values) {
  std::memcpy(&values, from, sizeof values);
}
template <int N>
[[gnu::always_inline]] inline void load(const std::uint16_t* from, typename Lanes<N>::Float& values) {
  typename Lanes<N>::Half halves;
  std::memcpy(&halves, from, sizeof halves);
  values = (typename Lanes<N>::Float)(__builtin_convertvector(halves, typename Lanes<N>::Int) << 16);
}

/// The same to memory; bf16 is rounded to nearest, ties to even, and NaN stays NaN.
template <int N>
[[gnu::always_inline]] inline void store(const typename Lanes<N>::Float& values, float* to) {
  std::memcpy(to, &values, sizeof values);
}
template <int N>
[[gnu::always_inline]] inline void store(const typename Lanes<N>::Float& values, std::uint16_t* to) {
  using Int = typename Lanes<N>::Int;
  const Int bits = (Int)values;
  const Int rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const Int kept = values == values ? rounded : (bits | 0x400000);
  const auto halves = __builtin_convertvector((kept >> 16) & 0xffff, typename Lanes<N>::Half);
  std::memcpy(to, &halves, sizeof halves);
}

/// N neighbouring values of one output pixel: their maxima over a window and where these were.
template <int N, class T>
[[gnu::always_inline]] inline void maximum(const PoolGeometry& g, const T* corner, Span ys, Span xs,
                                           T* output, std::uint8_t* positions) {
  using L = Lanes<N>;
  typename L::Float best;
  typename L::Int where = typename L::Int{} + static_cast<std::int32_t>(ys.begin * g.kernel_x + xs.begin);
  const std::int64_t row = g.in_x * g.inner;
  load<N>(corner + ys.begin * row + xs.begin * g.inner, best);
  for (std::int64_t y = ys.begin; y < ys.end; ++y) {
    for (std::int64_t x = xs.begin; x < xs.end; ++x) {
      typename L::Float values;
      load<N>(corner + y * row + x * g.inner, values);
      const typename L::Int larger = (values > best) | (values != values);
      best = larger ? values : best;
      where = larger ? typename L::Int{} + static_cast<std::int32_t>(y * g.kernel_x + x) : where;
    }
  }
  store<N>(best, output);
  if (positions == nullptr) return;
  const auto bytes = __builtin_convertvector(where, typename L::Byte);
  std::memcpy(positions, &bytes, sizeof bytes);
}

/// N neighbouring values of one input pixel: the sum of the gradients of the windows whose maximum it was, in
/// fp32.
template <int N, class T>
[[gnu::always_inline]] inline void gather(const PoolGeometry& g, const T* gradient,
                                          const std::uint8_t* positions, const Reach& ys, const Reach& xs,
                                          T* target) {
  using L = Lanes<N>;
  typename L::Float sum{};
  std::int64_t ky = ys.place;
  for (std::int64_t y = ys.outputs.begin; y < ys.outputs.end; ++y, ky -= g.stride_y) {
    std::int64_t kx = xs.place;
    for (std::int64_t x = xs.outputs.begin; x < xs.outputs.end; ++x, kx -= g.stride_x) {
      const std::int64_t at = (y * g.out_x + x) * g.inner;
      typename L::Byte bytes;
      typename L::Float values;
      std::memcpy(&bytes, positions + at, sizeof bytes);
      load<N>(gradient + at, values);
      const auto where = __builtin_convertvector(bytes, typename L::Int);
      sum += where == static_cast<std::int32_t>(ky * g.kernel_x + kx) ? values : typename L::Float{};
    }
  }
  store<N>(sum, target);
}

/// Calls `work<N>(c)` for pieces of N values that cover [0, count).
template <class Work>
[[gnu::always_inline]] inline void in_pieces(std::int64_t count, Work&& work) {
  std::int64_t c = 0;
  for (; c + 16 <= count; c += 16) work(std::integral_constant<int, 16>{}, c);
  for (; c + 4 <= count; c += 4) work(std::integral_constant<int, 4>{}, c);
  for (; c < count; ++c) work(std::integral_constant<int, 1>{}, c);
}

template <class T>
void forward_map(const PoolGeometry& g, const T* map, T* output, std::uint8_t* positions) {
  for (std::int64_t y = 0; y < g.out_y; ++y) {
    const Span ys = inside(y, g.stride_y, g.padding_y, g.kernel_y, g.in_y);
    for (std::int64_t x = 0; x < g.out_x; ++x) {
      const Span xs = inside(x, g.stride_x, g.padding_x, g.kernel_x, g.in_x);
      const T* corner =
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

template <class T>
void backward_map(const PoolGeometry& g, const T* gradient, const std::uint8_t* positions, T* map) {
  Reach ys{};
  for (std::int64_t y = 0; y < g.in_y; ++y) {
    move_to(y, g.stride_y, g.padding_y, g.kernel_y, g.out_y, ys);
    Reach xs{};
    for (std::int64_t x = 0; x < g.in_x; ++x) {
      move_to(x, g.stride_x, g.padding_x, g.kernel_x, g.out_x, xs);
      const std::int64_t at = (y * g.in_x + x) * g.inner;
      in_pieces(
          g.inner, [&](auto lanes, std::int64_t c) __attribute__((always_inline)) {
            gather<lanes.value>(g, gradient + c, positions + c, ys, xs, map + at + c);
          });
    }
  }
}

}  // namespace
}  // namespace convoy::cpu
