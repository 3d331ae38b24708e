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
template <class T>
void max_pool_backward(const PoolGeometry& g, const T* output_gradient, const std::uint8_t* positions,
                       T* input_gradient);

}  // namespace convoy::cpu
