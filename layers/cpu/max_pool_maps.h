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

/// Adds the gradients of N neighbouring values of one output pixel, in fp32, where their maxima were.
template <int N, class T>
[[gnu::always_inline]] inline void scatter(const PoolGeometry& g, const T* gradient,
                                           const std::uint8_t* positions, Span ys, Span xs, float* corner) {
  using L = Lanes<N>;
  typename L::Byte bytes;
  typename L::Float values;
  std::memcpy(&bytes, positions, sizeof bytes);
  load<N>(gradient, values);
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

/// The gradients of one row of outputs. `rows` is where the first row of its windows lies, or would lie.
template <class T>
[[gnu::always_inline]] inline void scatter_row(const PoolGeometry& g, const T* gradient,
                                               const std::uint8_t* positions, std::int64_t y, float* rows) {
  const Span ys = inside(y, g.stride_y, g.padding_y, g.kernel_y, g.in_y);
  for (std::int64_t x = 0; x < g.out_x; ++x) {
    const Span xs = inside(x, g.stride_x, g.padding_x, g.kernel_x, g.in_x);
    float* corner = rows + (x * g.stride_x - g.padding_x) * g.inner;
    const std::int64_t at = (y * g.out_x + x) * g.inner;
    in_pieces(
        g.inner, [&](auto lanes, std::int64_t c) __attribute__((always_inline)) {
          scatter<lanes.value>(g, gradient + at + c, positions + at + c, ys, xs, corner + c);
        });
  }
}

void backward_map(const PoolGeometry& g, const float* gradient, const std::uint8_t* positions, float* map,
                  float*) {
  const std::int64_t values = g.in_map();
  for (std::int64_t i = 0; i < values; ++i) map[i] = 0;
  for (std::int64_t y = 0; y < g.out_y; ++y)
    scatter_row(g, gradient, positions, y, map + (y * g.stride_y - g.padding_y) * g.in_x * g.inner);
}

/// Values that no later window reaches, from fp32 to bf16.
inline void round_rows(const float* from, std::uint16_t* to, std::int64_t count) {
  in_pieces(
      count, [&](auto lanes, std::int64_t i) __attribute__((always_inline)) {
        typename Lanes<lanes.value>::Float values;
        load<lanes.value>(from + i, values);
        store<lanes.value>(values, to + i);
      });
}

/// Sums are kept in fp32 in `strip`, as many rows as a window has, which moves down the map and leaves
/// finished rows behind.
void backward_map(const PoolGeometry& g, const std::uint16_t* gradient, const std::uint8_t* positions,
                  std::uint16_t* map, float* strip) {
  const std::int64_t row = g.in_x * g.inner;
  for (std::int64_t i = 0; i < g.kernel_y * row; ++i) strip[i] = 0;
  std::int64_t finished = 0;  // rows of the map
  for (std::int64_t y = 0; y < g.out_y; ++y) {
    const std::int64_t top = y * g.stride_y - g.padding_y;
    scatter_row(g, gradient, positions, y, strip);
    const bool last = y + 1 == g.out_y;
    const std::int64_t next = last || top + g.stride_y > g.in_y ? g.in_y : top + g.stride_y;
    for (; finished < next; ++finished) {
      const std::int64_t place = finished - top;
      if (place < g.kernel_y) {
        round_rows(strip + place * row, map + finished * row, row);
      } else {
        std::memset(map + finished * row, 0, static_cast<std::size_t>(row) * sizeof *map);
      }
    }
    const std::int64_t kept = g.kernel_y > g.stride_y ? g.kernel_y - g.stride_y : 0;
    if (kept > 0)
      std::memmove(strip, strip + g.stride_y * row, static_cast<std::size_t>(kept * row) * sizeof *strip);
    for (std::int64_t i = kept * row; i < g.kernel_y * row; ++i) strip[i] = 0;
  }
}

}  // namespace
}  // namespace convoy::cpu
