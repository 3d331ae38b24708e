#pragma once

#include <cmath>

#include "layers/core/host_device.h"

/// Arithmetic of the own pooling kernels; see layers/graph/arithmetic.h.
namespace convoy {

/// What one window's output adds to the derivative of an l2 pool by x, divided by x: gradient / output.
CONVOY_HD constexpr float l2_pool_share(float output, float gradient) {
  return output > 0 ? gradient / output : 0.F;
}

inline CONVOY_HD float l2_pool_output(float sum_of_squares) { return std::sqrt(sum_of_squares); }

}  // namespace convoy
