#pragma once

#include <cstdint>

#include "layers/cpu/pool_geometry.h"

namespace convoy::cpu {

/// Products of a locally connected layer. Activations lie with the samples innermost, in fp32:
/// [value][sample], samples filled up with zeros to a multiple of kLanes, so that each weight, which is used
/// once a sample, is multiplied with whole vectors. Weights: [position][output][channel][kernel y][kernel x].
struct LocalProducts {
  static constexpr std::int64_t kLanes = 16;

  std::int64_t channels = 0, outputs = 0;
  std::int64_t samples = 0;  ///< filled up
  PoolGeometry window;       ///< of one channel; outer and inner count nothing

  [[gnu::always_inline]] std::int64_t positions() const { return window.out_y * window.out_x; }
  [[gnu::always_inline]] std::int64_t kernel() const { return window.kernel_y * window.kernel_x; }
  [[gnu::always_inline]] std::int64_t weights() const {
    return channels * kernel();
  }  ///< of one output value
};

/// Output values of one position; `bias` may be null, else lies [output][position]. T is float, or
/// std::uint16_t for the bits of bf16.
template <class T>
void local_forward(const LocalProducts& g, std::int64_t position, const float* input, const T* weight,
                   const float* bias, float* output);

/// The gradient of one input channel for samples [first, first + kLanes) from all positions.
template <class T>
void local_backward_data(const LocalProducts& g, std::int64_t channel, std::int64_t first,
                         const float* gradient, const T* weight, float* input_gradient);

/// The gradients of the weights and biases (may be null) of one position.
void local_backward_weights(const LocalProducts& g, std::int64_t position, const float* input,
                            const float* gradient, float* weight_gradient, float* bias_gradient);

}  // namespace convoy::cpu
