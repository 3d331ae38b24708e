#pragma once

#include "layers/cpu/channel_tasks.h"
#include "layers/cpu/simd.h"
#include "layers/graph/arithmetic/batch_norm.h"

/// Loops over a tile for batch norm; vectors are constants by lane. Values pass through an array where they
/// are written, because the operands may be the same memory; inner loops stay rolled so that the compiler
/// makes vectors of them.
namespace convoy::cpu {

/// Calls `body(row, lane)` for the values of a tile.
template <class Body>
inline __attribute__((always_inline)) void for_values(const Tile& tile, Body&& body) {
  for (std::int64_t row = 0; row < tile.rows; ++row) {
    if (tile.width == kTileWidth) {
#pragma GCC unroll 1
      for (std::int64_t k = 0; k < kTileWidth; ++k) body(row * tile.stride + k, static_cast<std::size_t>(k));
    } else {
      for (std::int64_t k = 0; k < tile.width; ++k) body(row * tile.stride + k, static_cast<std::size_t>(k));
    }
  }
}

template <class T>
CONVOY_SIMD void sum_tile(const T* x, const Tile& tile, Lanes& sum) {
  Lanes s{};
  for_values(tile, [&](std::int64_t i, std::size_t k) { s[k] += float(x[i]); });
  sum = s;
}

/// The squares of the distances from the mean.
template <class T>
CONVOY_SIMD void square_tile(const T* x, const Tile& tile, const Lanes& mean, Lanes& sum) {
  Lanes s{};
  for_values(tile, [&](std::int64_t i, std::size_t k) {
    const float d = float(x[i]) - mean[k];
    s[k] += d * d;
  });
  sum = s;
}

template <class T>
CONVOY_SIMD void normalize_tile(const T* x, T* y, const Tile& tile, const Lanes& mean, const Lanes& factor,
                                const Lanes& shift) {
  for_values(tile, [&](std::int64_t i, std::size_t k) {
    y[i] = T(normalize(float(x[i]), mean[k], factor[k], shift[k]));
  });
}

/// Sums of dy and of dy · (x - mean).
template <class T>
CONVOY_SIMD void gradient_sums_tile(const T* x, const T* dy, const Tile& tile, const Lanes& mean,
                                    Lanes& gradient, Lanes& product) {
  Lanes g{};
  Lanes p{};
  for_values(tile, [&](std::int64_t i, std::size_t k) {
    const float d = float(dy[i]);
    g[k] += d;
    p[k] += d * (float(x[i]) - mean[k]);
  });
  gradient = g;
  product = p;
}

/// `dx` may be `dy`.
template <class T>
CONVOY_SIMD void gradient_tile(const T* x, const T* dy, T* dx, const Tile& tile, const Lanes& mean,
                               const Lanes& direct, const Lanes& slope, const Lanes& offset) {
  for_values(tile, [&](std::int64_t i, std::size_t k) {
    dx[i] = T(direct[k] * float(dy[i]) + slope[k] * (float(x[i]) - mean[k]) + offset[k]);
  });
}

}  // namespace convoy::cpu
