#include "layers/cpu/channel_bias.h"

#include <algorithm>

#include "layers/cpu/element.h"
#include "layers/cpu/simd.h"

namespace convoy::cpu {
namespace {

/// Channels that one thread sums at a time.
constexpr std::int64_t kChannelsAtOnce = 16;

template <class T>
[[gnu::always_inline]] inline void add(const float* bias, std::int64_t count, std::int64_t inner,
                                       std::int64_t pixels, T* map) {
  for (std::int64_t p = 0; p < pixels; ++p) {
    for (std::int64_t i = 0; i < count; ++i) map[p * inner + i] = T(float(map[p * inner + i]) + bias[i]);
  }
}

template <class T>
[[gnu::always_inline]] inline void add_one(float bias, std::int64_t pixels, T* map) {
  for (std::int64_t p = 0; p < pixels; ++p) map[p] = T(float(map[p]) + bias);
}

// A function a type: versions for vector widths cannot be templates.
CONVOY_SIMD void add_to_map(const float* bias, std::int64_t count, std::int64_t inner, std::int64_t pixels,
                            float* map) {
  if (inner == 1) return add_one(*bias, pixels, map);
  add(bias, count, inner, pixels, map);
}
CONVOY_SIMD void add_to_map(const float* bias, std::int64_t count, std::int64_t inner, std::int64_t pixels,
                            BFloat16* map) {
  if (inner == 1) return add_one(*bias, pixels, map);
  add(bias, count, inner, pixels, map);
}

/// Adds the sum of one sample's pixels to `sums`.
template <class T>
[[gnu::always_inline]] inline void sum(const T* map, std::int64_t count, std::int64_t inner,
                                       std::int64_t pixels, double* sums) {
  float part[kChannelsAtOnce] = {};
  for (std::int64_t p = 0; p < pixels; ++p) {
    for (std::int64_t i = 0; i < count; ++i) part[i] += float(map[p * inner + i]);
  }
  for (std::int64_t i = 0; i < count; ++i) sums[i] += static_cast<double>(part[i]);
}

CONVOY_SIMD void sum_map(const float* map, std::int64_t count, std::int64_t inner, std::int64_t pixels,
                         double* sums) {
  sum(map, count, inner, pixels, sums);
}
CONVOY_SIMD void sum_map(const BFloat16* map, std::int64_t count, std::int64_t inner, std::int64_t pixels,
                         double* sums) {
  sum(map, count, inner, pixels, sums);
}

}  // namespace

void add_channel_bias(const ImageLayout& layout, Shape shape, std::int64_t batch, DType type,
                      const float* bias, void* values) {
  const std::int64_t parts = layout.outer / batch;  // of a sample
  with_element(type, [&]<class T>(T) {
    auto* maps = static_cast<T*>(values);
#pragma omp parallel for schedule(static)
    for (std::int64_t o = 0; o < layout.outer; ++o) {
      const std::int64_t first = o % parts * layout.inner;
      const std::int64_t count = std::min(layout.inner, shape.channels - first);
      add_to_map(bias + first, count, layout.inner, shape.pixels(), maps + o * shape.pixels() * layout.inner);
    }
  });
}

void sum_by_channel(const ImageLayout& layout, Shape shape, std::int64_t batch, DType type,
                    const void* values, float* sums) {
  const std::int64_t parts = layout.outer / batch;
  const std::int64_t pieces = (layout.inner + kChannelsAtOnce - 1) / kChannelsAtOnce;
  const std::int64_t map = shape.pixels() * layout.inner;
  with_element(type, [&]<class T>(T) {
    const auto* maps = static_cast<const T*>(values);
#pragma omp parallel for schedule(static)
    for (std::int64_t task = 0; task < parts * pieces; ++task) {
      const std::int64_t part = task / pieces;
      const std::int64_t inside = task % pieces * kChannelsAtOnce;
      const std::int64_t first = part * layout.inner + inside;
      const std::int64_t count = std::min({kChannelsAtOnce, layout.inner - inside, shape.channels - first});
      double total[kChannelsAtOnce] = {};
      for (std::int64_t n = 0; n < batch; ++n)
        sum_map(maps + (n * parts + part) * map + inside, count, layout.inner, shape.pixels(), total);
      for (std::int64_t i = 0; i < count; ++i) sums[first + i] = static_cast<float>(total[i]);
    }
  });
}

}  // namespace convoy::cpu
