#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

namespace convoy {

/// Forward and backward of a layer whose inputs, parameters and output gradient are hashed values.
inline void run_hashed(LayerBench& bench) {
  std::uint32_t seed = 1;
  for (auto& values : bench.inputs) values = hashed_values(seed++, values.size());
  for (auto& values : bench.parameters) values = hashed_values(seed++, values.size());
  bench.output_gradient = hashed_values(seed, bench.output_gradient.size());
  bench.forward();
  bench.backward();
}

/// |a - b| / |b|; infinite where one of them is no number.
inline double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  const double error = std::sqrt(difference / std::max(norm, 1e-30));
  return std::isnan(error) ? INFINITY : error;
}

}  // namespace convoy
