#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "comm/communicator.h"

namespace convoy {

/// What an evaluation found of the samples of one class.
struct ClassCounts {
  std::int64_t samples = 0;
  std::int64_t top1 = 0;  ///< of these, taken for their class
  std::int64_t top5 = 0;  ///< of these, with their class among the best five
};

/// A cell of the confusion matrix that is not 0.
struct ConfusionCell {
  std::int32_t label = 0;
  std::int32_t predicted = 0;  ///< Confusion::kNoClass: the network gave something that is no number
  std::int64_t samples = 0;
};

/// The confusion matrix of an evaluation. Cells that are not 0 alone take memory, so never more than one for
/// each sample, however many classes there are.
class Confusion {
 public:
  static constexpr std::int32_t kNoClass = -1;

  explicit Confusion(int classes) : classes_(static_cast<std::size_t>(classes)) {}

  /// Counts a sample. It is taken for the class that scores the highest, of equal ones for the first, as top1
  /// of Metrics counts (rank_of).
  void count(std::int32_t label, std::span<const float> scores);

  /// Adds the counts of all ranks up, on every rank.
  void add_up(Communicator& comm);

  const std::vector<ClassCounts>& classes() const { return classes_; }

  /// By label, then by what it was taken for.
  std::vector<ConfusionCell> cells() const;

 private:
  std::vector<ClassCounts> classes_;
  std::unordered_map<std::uint64_t, std::int64_t> cells_;  ///< label << 32 | predicted
};

}  // namespace convoy
