#include "trainer/data/window_order.h"

#include <algorithm>

#include "layers/core/error.h"
#include "trainer/data/epoch_order.h"

namespace convoy {
namespace {

// Instances of EpochOrder; 0 is the order of a whole data set. Part of what a resumed run repeats.
constexpr std::uint32_t kOfShards = 1;
constexpr std::uint32_t kOfFirstWindow = 2;

}  // namespace

WindowOrder::WindowOrder(std::uint64_t seed, std::int64_t epoch, std::span<const std::int64_t> starts,
                         std::int64_t window)
    : seed_(seed), epoch_(epoch), window_(window) {
  if (starts.empty() || window < 1) fail(ExitCode::internal, "windows of {} samples over no shards", window);
  const auto shards = static_cast<std::int64_t>(starts.size()) - 1;
  const EpochOrder order(seed, epoch, shards, true, kOfShards);
  places_.push_back(0);
  for (std::int64_t i = 0; i < shards; ++i) {
    const auto shard = static_cast<std::size_t>(order.at(i));
    firsts_.push_back(starts[shard]);
    places_.push_back(places_.back() + starts[shard + 1] - starts[shard]);
  }
}

std::int64_t WindowOrder::at(std::int64_t position) const {
  if (position < 0 || position >= size()) {
    fail(ExitCode::internal, "position {} of an epoch of {} samples", position, size());
  }
  const std::int64_t number = position / window_;
  const std::int64_t start = number * window_;
  const EpochOrder within(seed_, epoch_, std::min(window_, size() - start), true,
                          kOfFirstWindow + static_cast<std::uint32_t>(number));
  const std::int64_t place = start + within.at(position - start);
  const auto after = std::upper_bound(places_.begin(), places_.end(), place);
  const auto shard = static_cast<std::size_t>(after - places_.begin()) - 1;
  return firsts_[shard] + place - places_[shard];
}

std::vector<std::int64_t> indices_of_rank(const WindowOrder& order, const EpochStretch& stretch) {
  const std::int64_t end = std::min(stretch.first + stretch.count, order.size());
  std::vector<std::int64_t> indices;
  for (std::int64_t start = stretch.first / stretch.batch * stretch.batch; start < end;
       start += stretch.batch) {
    const Share share = share_of(std::min(stretch.batch, order.size() - start), stretch.rank, stretch.ranks);
    const std::int64_t first = std::max(start + share.first, stretch.first);
    const std::int64_t last = std::min(start + share.first + share.count, end);
    for (std::int64_t position = first; position < last; ++position) indices.push_back(order.at(position));
  }
  std::ranges::sort(indices);
  return indices;
}

}  // namespace convoy
