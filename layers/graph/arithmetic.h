#pragma once

#include <cstdint>

#include "layers/core/host_device.h"
#include "layers/core/philox.h"

/// Arithmetic of own kernels, written once for the loops of the CPU and the launches of the GPU.
namespace convoy {

/// One value through dropout: `word` is its random word, kept when at least `threshold` = rate · 2^32.
CONVOY_HD constexpr float drop(float x, std::uint32_t word, std::uint32_t threshold, float scale) {
  return word >= threshold ? x * scale : 0.F;
}

/// One value through clipping, and its gradient from the output: that of values between the bounds.
CONVOY_HD constexpr float clip(float x, float low, float high) {
  return x < low ? low : (x > high ? high : x);
}
CONVOY_HD constexpr float clip_gradient(float gradient, float output, float low, float high) {
  return output > low && output < high ? gradient : 0.F;
}

/// One value through stochastic gradient descent; see SgdSpec
/// (layers/graph/backend.h). Changes the weight and the momentum.
CONVOY_HD constexpr void sgd_step(float& weight, float& velocity, float gradient, float rate, float decay,
                                  float momentum, bool nesterov) {
  const float g = gradient + decay * weight;
  velocity = momentum * velocity + g;
  weight -= rate * (nesterov ? g + momentum * velocity : velocity);
}

}  // namespace convoy
