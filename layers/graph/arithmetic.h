#pragma once

#include <cmath>
#include <cstdint>

#include "layers/core/host_device.h"
#include "layers/core/philox.h"
#include "layers/graph/backend.h"

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

/// One value through stochastic gradient descent; see SgdSpec. Changes the weight and the momentum.
CONVOY_HD constexpr void sgd_step(float& weight, float& velocity, float gradient, float rate, float decay,
                                  float momentum, bool nesterov) {
  const float g = gradient + decay * weight;
  velocity = momentum * velocity + g;
  weight -= rate * (nesterov ? g + momentum * velocity : velocity);
}

/// What softmax with cross-entropy says of one sample.
struct SampleLoss {
  float loss = 0;
  int rank = 0;  ///< classes that score higher than the label, ties counted against it when of lower index
};

/// Softmax of `classes` scores into `probabilities` (may be the same memory), by the maximum first as usual.
inline CONVOY_HD SampleLoss softmax_cross_entropy(const float* scores, int classes, int label,
                                                  float* probabilities) {
  float top = scores[0];
  for (int c = 1; c < classes; ++c) top = scores[c] > top ? scores[c] : top;
  const float of_label = scores[label];
  int rank = 0;
  float sum = 0;
  for (int c = 0; c < classes; ++c) {
    rank += scores[c] > of_label || (scores[c] == of_label && c < label) || scores[c] != scores[c] ? 1 : 0;
    probabilities[c] = std::exp(scores[c] - top);
    sum += probabilities[c];
  }
  const float inverse = 1 / sum;
  for (int c = 0; c < classes; ++c) probabilities[c] *= inverse;
  return {std::log(sum) + top - of_label, rank};
}

}  // namespace convoy
