#pragma once

#include <cmath>
#include <numeric>
#include <vector>

namespace convoy {

/// Whether counts may be of equally likely events: chi squared within five deviations of its mean.
inline bool is_uniform(const std::vector<int>& counts) {
  const double expected =
      std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
  double chi = 0;
  for (const int count : counts) chi += (count - expected) * (count - expected) / expected;
  const auto freedom = static_cast<double>(counts.size() - 1);
  return chi < freedom + 5 * std::sqrt(2 * freedom);
}

}  // namespace convoy
