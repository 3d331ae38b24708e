#pragma once

#include "layers/core/host_device.h"

/// Functions of one value and the parameters of its channel, and their gradients.
namespace convoy {

/// What one value adds to the gradients of its input and of its channel's parameters.
struct ChannelGradient {
  float input = 0;
  float first = 0;
  float second = 0;
};

/// Parametric ReLU; the first parameter is the slope. Its derivative at 0 is the slope, as PyTorch has it.
struct PreluFunction {
  static CONVOY_HD constexpr float forward(float x, float slope, float) { return x > 0 ? x : slope * x; }
  static CONVOY_HD constexpr ChannelGradient backward(float x, float gradient, float slope) {
    return {x > 0 ? gradient : slope * gradient, x > 0 ? 0.F : x * gradient, 0};
  }
};

/// Scale and shift, the first and second parameter.
struct ScaleFunction {
  static CONVOY_HD constexpr float forward(float x, float scale, float shift) { return scale * x + shift; }
  static CONVOY_HD constexpr ChannelGradient backward(float x, float gradient, float scale) {
    return {scale * gradient, x * gradient, gradient};
  }
};

}  // namespace convoy
