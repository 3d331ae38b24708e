#pragma once

// The loops of locally connected layers, included by one source file for each instruction set. Everything is
// local to the including file, and nothing inline of other headers is called, as in max_pool_maps.h.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "layers/cpu/local_products.h"

namespace convoy::cpu {
namespace {

constexpr int kLanes = LocalProducts::kLanes;
typedef float Vector __attribute__((vector_size(4 * kLanes)));

[[gnu::always_inline]] inline void load(const float* from, Vector& to) { std::memcpy(&to, from, sizeof to); }
[[gnu::always_inline]] inline void store(const Vector& from, float* to) {
  std::memcpy(to, &from, sizeof from);
}

[[gnu::always_inline]] inline float fp32(float value) { return value; }
/// From the bits of bf16.
[[gnu::always_inline]] inline float fp32(std::uint16_t bits) {
  const std::uint32_t upper = static_cast<std::uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &upper, sizeof value);
  return value;
}

/// The sum of all lanes, always in the same order: halves upon halves, in registers.
[[gnu::always_inline]] inline float sum_of(const Vector& values) {
  const auto eight = __builtin_shufflevector(values, values, 0, 1, 2, 3, 4, 5, 6, 7) +
                     __builtin_shufflevector(values, values, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto four =
      __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  return (four[0] + four[2]) + (four[1] + four[3]);
}

/// Calls `work<N>(i)` for pieces of at most 4 that cover [begin, end).
template <class Work>
[[gnu::always_inline]] inline void in_fours(std::int64_t begin, std::int64_t end, Work&& work) {
  std::int64_t i = begin;
  for (; i + 4 <= end; i += 4) work(std::integral_constant<int, 4>{}, i);
  if (i + 3 == end) return work(std::integral_constant<int, 3>{}, i);
  if (i + 2 == end) return work(std::integral_constant<int, 2>{}, i);
  if (i + 1 == end) work(std::integral_constant<int, 1>{}, i);
}

/// The window of one position.
struct Place {
  Span ys, xs;
  std::int64_t corner;  ///< pixel of the window's first place, which may lie outside
};

[[gnu::always_inline]] inline Place place_of(const PoolGeometry& w, std::int64_t position) {
  const std::int64_t y = position / w.out_x;
  const std::int64_t x = position % w.out_x;
  return {inside(y, w.stride_y, w.padding_y, w.kernel_y, w.in_y),
          inside(x, w.stride_x, w.padding_x, w.kernel_x, w.in_x),
          (y * w.stride_y - w.padding_y) * w.in_x + x * w.stride_x - w.padding_x};
}

template <class T>
[[gnu::always_inline]] inline void forward(const LocalProducts& g, std::int64_t position, const float* input,
                                           const T* weight, const float* bias, float* output) {
  const PoolGeometry& w = g.window;
  const Place place = place_of(w, position);
  const std::int64_t pixels = w.in_y * w.in_x;
  const T* of_position = weight + position * g.outputs * g.weights();
  for (std::int64_t n = 0; n < g.samples; n += kLanes) {
    in_fours(
        0, g.outputs, [&](auto count, std::int64_t o) __attribute__((always_inline)) {
          constexpr int N = count.value;
          Vector sums[N];
          for (int i = 0; i < N; ++i)
            sums[i] = Vector{} + (bias == nullptr ? 0.F : bias[(o + i) * g.positions() + position]);
          for (std::int64_t c = 0; c < g.channels; ++c) {
            for (std::int64_t y = place.ys.begin; y < place.ys.end; ++y) {
              const T* row = of_position + o * g.weights() + (c * w.kernel_y + y) * w.kernel_x;
              const float* from = input + (c * pixels + place.corner + y * w.in_x) * g.samples + n;
              for (std::int64_t x = place.xs.begin; x < place.xs.end; ++x) {
                Vector values;
                load(from + x * g.samples, values);
                for (int i = 0; i < N; ++i) sums[i] += fp32(row[i * g.weights() + x]) * values;
              }
            }
          }
          for (int i = 0; i < N; ++i)
            store(sums[i], output + ((o + i) * g.positions() + position) * g.samples + n);
        });
  }
}

template <class T>
[[gnu::always_inline]] inline void backward_data(const LocalProducts& g, std::int64_t channel,
                                                 std::int64_t first, const float* gradient, const T* weight,
                                                 float* input_gradient) {
  const PoolGeometry& w = g.window;
  const std::int64_t pixels = w.in_y * w.in_x;
  float* map = input_gradient + channel * pixels * g.samples + first;
  for (std::int64_t p = 0; p < pixels; ++p) store(Vector{}, map + p * g.samples);
  for (std::int64_t position = 0; position < g.positions(); ++position) {
    const Place place = place_of(w, position);
    const T* of_position = weight + position * g.outputs * g.weights() + channel * g.kernel();
    const float* from = gradient + position * g.samples + first;
    for (std::int64_t y = place.ys.begin; y < place.ys.end; ++y) {
      in_fours(
          place.xs.begin, place.xs.end, [&](auto count, std::int64_t x) __attribute__((always_inline)) {
            constexpr int N = count.value;
            float* to = map + (place.corner + y * w.in_x + x) * g.samples;
            Vector sums[N];
            for (int i = 0; i < N; ++i) load(to + i * g.samples, sums[i]);
            const T* row = of_position + y * w.kernel_x + x;
            for (std::int64_t o = 0; o < g.outputs; ++o) {
              Vector values;
              load(from + o * g.positions() * g.samples, values);
              for (int i = 0; i < N; ++i) sums[i] += fp32(row[o * g.weights() + i]) * values;
            }
            for (int i = 0; i < N; ++i) store(sums[i], to + i * g.samples);
          });
    }
  }
}

[[gnu::always_inline]] inline void backward_weights(const LocalProducts& g, std::int64_t position,
                                                    const float* input, const float* gradient,
                                                    float* weight_gradient, float* bias_gradient) {
  const PoolGeometry& w = g.window;
  const Place place = place_of(w, position);
  const std::int64_t pixels = w.in_y * w.in_x;
  for (std::int64_t o = 0; o < g.outputs; ++o) {
    const float* of_output = gradient + (o * g.positions() + position) * g.samples;
    float* to = weight_gradient + (position * g.outputs + o) * g.weights();
    std::memset(to, 0, static_cast<std::size_t>(g.weights()) * sizeof *to);
    for (std::int64_t c = 0; c < g.channels; ++c) {
      for (std::int64_t y = place.ys.begin; y < place.ys.end; ++y) {
        const float* from = input + (c * pixels + place.corner + y * w.in_x) * g.samples;
        in_fours(
            place.xs.begin, place.xs.end, [&](auto count, std::int64_t x) __attribute__((always_inline)) {
              constexpr int N = count.value;
              Vector sums[N] = {};
              for (std::int64_t n = 0; n < g.samples; n += kLanes) {
                Vector slopes;
                load(of_output + n, slopes);
                for (int i = 0; i < N; ++i) {
                  Vector values;
                  load(from + (x + i) * g.samples + n, values);
                  sums[i] += slopes * values;
                }
              }
              for (int i = 0; i < N; ++i) to[(c * w.kernel_y + y) * w.kernel_x + x + i] = sum_of(sums[i]);
            });
      }
    }
    if (bias_gradient == nullptr) continue;
    Vector sum{};
    for (std::int64_t n = 0; n < g.samples; n += kLanes) {
      Vector slopes;
      load(of_output + n, slopes);
      sum += slopes;
    }
    bias_gradient[o * g.positions() + position] = sum_of(sum);
  }
}

}  // namespace
}  // namespace convoy::cpu
