#pragma once

#include <cstdint>

#include "layers/cpu/pool_geometry.h"

namespace convoy::cpu {

// Max pooling where several channels lie side by side. The position of the maximum in its window is kept as
// one byte a value. NaN is a maximum, as in PyTorch. oneDNN's pooling is slower for the few channels of small
// networks.

/// T is float, or std::uint16_t for the bits of bf16. `positions` may be null in inference.
template <class T>
void max_pool_forward(const PoolGeometry& g, const T* input, T* output, std::uint8_t* positions);

/// bf16's sums wait in fp32 in `strips`: max_pool_strip_bytes; fp32 needs none.
template <class T>
void max_pool_backward(const PoolGeometry& g, const T* output_gradient, const std::uint8_t* positions,
                       T* input_gradient, float* strips);
inline std::int64_t max_pool_strip_bytes(const PoolGeometry& g) {
  return g.outer * g.kernel_y * g.in_x * g.inner * 4;
}

}  // namespace convoy::cpu
