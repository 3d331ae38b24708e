#pragma once

#include <cmath>

#include "layers/core/host_device.h"

/// Local response normalization, y = x · s^-beta with s = k + alpha / n · Σ x².
namespace convoy {

/// s^-beta for beta = quarters / 4, by square roots.
template <int quarters>
CONVOY_HD inline float inverse_power(float s) {
  static_assert(quarters >= 1 && quarters <= 4);
  if (quarters == 4) return 1 / s;
  const float root = std::sqrt(s);
  if (quarters == 2) return 1 / root;
  return 1 / (quarters == 3 ? root * std::sqrt(root) : std::sqrt(root));
}

/// s^-beta for any beta.
CONVOY_HD inline float inverse_power(float s, float beta) { return std::pow(s, -beta); }

/// dy · y / s: what one output adds to the sums from which the gradients of its neighbours are taken.
CONVOY_HD constexpr float lrn_share(float x, float gradient, float s, float power) {
  return gradient * x * power / s;
}

/// The gradient of one input; `sum` is that of lrn_share over the outputs in whose window it is, and
/// `factor` = 2 · alpha · beta / n.
CONVOY_HD constexpr float lrn_gradient(float x, float gradient, float power, float factor, float sum) {
  return gradient * power - factor * x * sum;
}

}  // namespace convoy
