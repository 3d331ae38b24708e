#include "trainer/confusion.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "layers/graph/arithmetic/loss.h"

namespace convoy {
namespace {

std::uint64_t key_of(std::int32_t label, std::int32_t predicted) {
  return static_cast<std::uint64_t>(label) << 32 | static_cast<std::uint32_t>(predicted);
}

ConfusionCell cell_of(std::uint64_t key, std::int64_t samples) {
  return {static_cast<std::int32_t>(key >> 32), static_cast<std::int32_t>(static_cast<std::uint32_t>(key)),
          samples};
}

std::int32_t best_of(std::span<const float> scores) {
  if (std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); }))
    return Confusion::kNoClass;
  return static_cast<std::int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

}  // namespace

void Confusion::count(std::int32_t label, std::span<const float> scores) {
  const int rank = rank_of(scores.data(), static_cast<int>(scores.size()), label);
  ClassCounts& counts = classes_.at(static_cast<std::size_t>(label));
  ++counts.samples;
  counts.top1 += rank < 1 ? 1 : 0;
  counts.top5 += rank < 5 ? 1 : 0;
  ++cells_[key_of(label, best_of(scores))];
}

void Confusion::add_up(Communicator& comm) {
  std::vector<std::int64_t> sums;
  for (const ClassCounts& one : classes_) sums.insert(sums.end(), {one.samples, one.top1, one.top5});
  comm.all_reduce(sums, Reduction::sum, "counts of classes");
  for (std::size_t c = 0; c < classes_.size(); ++c)
    classes_[c] = {sums[3 * c], sums[3 * c + 1], sums[3 * c + 2]};

  const std::vector<ConfusionCell> own = cells();
  std::string packed(own.size() * sizeof(ConfusionCell), '\0');
  if (!own.empty()) std::memcpy(packed.data(), own.data(), packed.size());
  cells_.clear();
  for (const std::string& text : comm.gather_strings(packed, "confusion matrix")) {
    for (std::size_t at = 0; at < text.size(); at += sizeof(ConfusionCell)) {
      ConfusionCell cell;
      std::memcpy(&cell, text.data() + at, sizeof cell);
      cells_[key_of(cell.label, cell.predicted)] += cell.samples;
    }
  }
}

std::vector<ConfusionCell> Confusion::cells() const {
  std::vector<ConfusionCell> cells;
  cells.reserve(cells_.size());
  for (const auto& [key, samples] : cells_) cells.push_back(cell_of(key, samples));
  std::ranges::sort(cells, {},
                    [](const ConfusionCell& cell) { return std::pair(cell.label, cell.predicted); });
  return cells;
}

}  // namespace convoy
