#pragma once

#include <cmath>
#include <cstdint>

#include "layers/core/host_device.h"

/// Bilinear interpolation along one axis; see Upsample.
namespace convoy {

/// Where an output pixel reads its input along one axis: `first` and the pixel after it, weighted.
struct BilinearPlace {
  std::int64_t first = 0;
  std::int64_t second = 0;
  float second_weight = 0;

  CONVOY_HD float weight_of(std::int64_t pixel) const {
    return (pixel == first ? 1 - second_weight : 0.F) + (pixel == second ? second_weight : 0.F);
  }
};

CONVOY_HD inline BilinearPlace bilinear_place(std::int64_t output, std::int64_t inputs,
                                              std::int64_t outputs) {
  const double at =
      (static_cast<double>(output) + 0.5) * static_cast<double>(inputs) / static_cast<double>(outputs) - 0.5;
  const double inside = at > 0 ? at : 0;
  const auto floor = static_cast<std::int64_t>(inside);
  const std::int64_t first = floor < inputs - 1 ? floor : inputs - 1;
  const std::int64_t second = first < inputs - 1 ? first + 1 : first;
  return {first, second, static_cast<float>(second == first ? 0 : inside - static_cast<double>(first))};
}

/// Outputs that may read input pixel `pixel`, without the end: all that do are among them.
CONVOY_HD inline std::int64_t bilinear_begin(std::int64_t pixel, std::int64_t inputs, std::int64_t outputs) {
  const double at =
      (static_cast<double>(pixel) - 0.5) * static_cast<double>(outputs) / static_cast<double>(inputs);
  const auto begin = static_cast<std::int64_t>(std::floor(at)) - 1;
  return pixel == 0 || begin < 0 ? 0 : begin;
}
CONVOY_HD inline std::int64_t bilinear_end(std::int64_t pixel, std::int64_t inputs, std::int64_t outputs) {
  const double at =
      (static_cast<double>(pixel) + 1.5) * static_cast<double>(outputs) / static_cast<double>(inputs);
  const auto end = static_cast<std::int64_t>(std::ceil(at)) + 1;
  return pixel == inputs - 1 || end > outputs ? outputs : end;
}

}  // namespace convoy
