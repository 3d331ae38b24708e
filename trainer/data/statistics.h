#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "trainer/data/augment.h"

namespace convoy {

/// Of pixel values 0..255: mean and (population) standard deviation, one of each for each channel, and the
/// covariance of each two channels, row by row: its diagonal is the deviations squared.
struct ChannelStatistics {
  std::vector<double> mean;
  std::vector<double> deviation;
  std::vector<double> covariance;
};

/// Statistics of at most `most_samples` samples (at least 1), spread evenly over the set, by so many threads;
/// the same for the same set on any machine and any number of threads: sums are whole numbers. Throws
/// Error(data) for an empty set and what Dataset::read throws. `seen`, where given, counts the samples that
/// are done.
ChannelStatistics channel_statistics(const Dataset& dataset, std::int64_t most_samples, int threads = 1,
                                     std::atomic<std::int64_t>* seen = nullptr);

/// The same of what a network of input `output` sees of them, for sets whose images vary in size: each counts
/// the same. `preparation` must not draw.
ChannelStatistics channel_statistics(const Dataset& dataset, std::int64_t most_samples,
                                     const Augmentation& preparation, Shape output, int threads = 1,
                                     std::atomic<std::int64_t>* seen = nullptr);

}  // namespace convoy
