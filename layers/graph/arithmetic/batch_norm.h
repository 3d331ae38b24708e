#pragma once

#include <cmath>

#include "layers/core/host_device.h"

/// Batch normalization (Ioffe and Szegedy 2015) from sums that may come from several devices.
namespace convoy {

/// Mean, variance and 1 / standard deviation of one channel.
struct ChannelMoments {
  double mean = 0;
  double variance = 0;  ///< biased
  double inverse_deviation = 0;
};

/// From the sums of `count` values and of their squares, in double so that taking the square of the mean away
/// costs no digits that count.
CONVOY_HD inline ChannelMoments channel_moments(double sum, double squares, double count, double epsilon) {
  const double mean = sum / count;
  const double difference = squares / count - mean * mean;
  const double variance = difference > 0 ? difference : 0;
  return {mean, variance, 1 / std::sqrt(variance + epsilon)};
}

/// One value: `factor` is scale / deviation.
CONVOY_HD constexpr float normalize(float x, float mean, float factor, float shift) {
  return (x - mean) * factor + shift;
}

/// The gradient of one value is direct · dy + slope · (x - mean) + offset.
struct NormGradient {
  float direct = 0;
  float slope = 0;
  float offset = 0;
};

/// From the sums over `count` values of dy and of dy · normalized x.
CONVOY_HD inline NormGradient norm_gradient(const ChannelMoments& moments, double scale, double gradients,
                                            double products, double count) {
  const double direct = scale * moments.inverse_deviation;
  return {static_cast<float>(direct),
          static_cast<float>(-direct * moments.inverse_deviation * products / count),
          static_cast<float>(-direct * gradients / count)};
}

}  // namespace convoy
