#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace convoy {

/// The order of an epoch over a data set that lies in shards, for disks that are slow to seek: one shard
/// after another, in an order drawn for the epoch, each from its front to its back, and what comes out
/// shuffled within windows of so many samples.
///
/// The samples of the shards, one shard after the other, are cut into windows; a window's samples come in the
/// order of a keyed permutation of it (EpochOrder). So every sample comes exactly once an epoch, at() is a
/// function of seed, epoch and position alone, and a start in the middle costs nothing. Memory is that of a
/// number for each shard.
class WindowOrder {
 public:
  /// `starts` are Dataset::shard_starts(), window >= 1.
  WindowOrder(std::uint64_t seed, std::int64_t epoch, std::span<const std::int64_t> starts,
              std::int64_t window);

  std::int64_t epoch() const { return epoch_; }
  std::int64_t size() const { return places_.back(); }

  /// Index in the data set of the sample at `position` of the epoch, both in [0, size()).
  std::int64_t at(std::int64_t position) const;

 private:
  std::uint64_t seed_;
  std::int64_t epoch_;
  std::int64_t window_;
  std::vector<std::int64_t> places_;  ///< in the row of shards: where each one starts; then size()
  std::vector<std::int64_t> firsts_;  ///< index of each one's first sample
};

/// What a rank needs of a stretch of an epoch.
struct EpochStretch {
  std::int64_t first = 0;  ///< position in the epoch
  std::int64_t count = 0;
  std::int64_t batch = 1;  ///< samples of a global batch
  int rank = 0;
  int ranks = 1;
};

/// Indices, in rising order, of the samples in that stretch that lie in the rank's shares of the batches.
std::vector<std::int64_t> indices_of_rank(const WindowOrder& order, const EpochStretch& stretch);

}  // namespace convoy
