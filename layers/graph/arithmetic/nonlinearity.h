#pragma once

#include <cmath>

#include "layers/core/host_device.h"
#include "layers/graph/nonlinearity.h"

/// Functions of one value; see Nonlinearity. A NaN stays one.
namespace convoy {

struct NonlinearityFunction {
  Nonlinearity::Kind kind = Nonlinearity::Kind::relu;
  float alpha = 0;  ///< relu's slope, elu's alpha

  CONVOY_HD float forward(float x) const {
    switch (kind) {
      case Nonlinearity::Kind::relu:
        // Without a slope an infinite x must not become no number.
        return x > 0 || x != x ? x : (alpha == 0 ? 0.F : alpha * x);
      case Nonlinearity::Kind::elu:
        return x > 0 ? x : alpha * std::expm1(x);
      case Nonlinearity::Kind::sigmoid: {
        const float small = std::exp(-std::fabs(x));  // never overflows
        return (x >= 0 ? 1.F : small) / (1 + small);
      }
      case Nonlinearity::Kind::tanh:
        return std::tanh(x);
    }
    return x;
  }

  /// The gradient of the input, from that of the output and the output y.
  CONVOY_HD float gradient_from_output(float gradient, float y) const {
    switch (kind) {
      case Nonlinearity::Kind::relu:
        return y > 0 ? gradient : alpha * gradient;
      case Nonlinearity::Kind::elu:
        return y > 0 ? gradient : gradient * (y + alpha);
      case Nonlinearity::Kind::sigmoid:
        return gradient * y * (1 - y);
      case Nonlinearity::Kind::tanh:
        return gradient * (1 - y * y);
    }
    return gradient;
  }

  /// The same from the input x, where the output does not tell its sign (relu and elu).
  CONVOY_HD float gradient_from_input(float gradient, float x) const {
    const float slope = kind == Nonlinearity::Kind::relu ? alpha : alpha * std::exp(x);
    return x > 0 ? gradient : slope * gradient;
  }
};

}  // namespace convoy
