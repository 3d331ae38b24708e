#pragma once

#include <algorithm>

#include "layers/core/clock.h"
#include "trainer/data/loader.h"

namespace convoy {

/// Sums over the samples of some iterations, all ranks.
struct Sums {
  double loss = 0;
  double top1 = 0;
  double top5 = 0;
  double samples = 0;
  double stop = 0;  ///< ranks that were asked to stop

  Sums& operator+=(const Sums& other) {
    loss += other.loss;
    top1 += other.top1;
    top5 += other.top5;
    samples += other.samples;
    return *this;
  }
};

/// Seconds and samples since the last line of metrics.
struct MetricsWindow {
  Sums sums;           ///< as far as the device was asked for them
  double samples = 0;  ///< of all iterations
  Clock::time_point start = Clock::now();
  double data_wait = 0;
  LoaderStatistics loader{};  ///< at the start
  double other = 0;           ///< evaluation and checkpoints, which do not count as training
  double seconds() const { return std::max(seconds_since(start) - other, 1e-9); }
};

}  // namespace convoy
