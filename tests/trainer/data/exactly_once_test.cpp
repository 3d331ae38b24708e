#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/trainer/data/counting_dataset.h"
#include "trainer/data/loader.h"

// Each sample once an epoch, whoever loads it and whenever it is interrupted.

namespace convoy {
namespace {

constexpr std::int64_t kEpochs = 2;

/// Samples in shards of sizes that differ.
class UnevenShards : public CountingDataset {
 public:
  using CountingDataset::CountingDataset;
  std::vector<std::int64_t> shard_starts() const override {
    std::vector<std::int64_t> starts;
    for (std::int64_t at = 0, step = 1; at < size(); at += step, step = 1 + (5 * step + 3) % 17)
      starts.push_back(at);
    starts.push_back(size());
    return starts;
  }
};

/// Ranks that load together, as a run's processes do.
class Ranks {
 public:
  Ranks(const std::shared_ptr<const Dataset>& set, LoaderOptions options) {
    for (options.rank = 0; options.rank < options.ranks; ++options.rank)
      loaders_.push_back(std::make_unique<Loader>(set, Shape{1, 2, 2}, options));
  }
  /// Counts the samples of the next global batch by epoch and index; false after the last.
  bool take(std::map<std::pair<std::int64_t, std::int64_t>, int>& seen) {
    for (const auto& loader : loaders_) {
      const Batch* batch = loader->next();
      if (batch == nullptr) return false;
      for (const std::int64_t index : batch->indices) ++seen[{batch->epoch, index}];
    }
    return true;
  }

 private:
  std::vector<std::unique_ptr<Loader>> loaders_;
};

/// Where a run is killed: the loaders have read ahead, and what they hold is lost.
struct Kill {
  std::int64_t step;
  int ranks_after, threads_after;
};

class ExactlyOnce : public testing::TestWithParam<std::tuple<std::int64_t, bool>> {};

TEST_P(ExactlyOnce, ForAnyRanksAndThreadsWithAKillAndAResumeInTheMiddle) {
  const auto [size, windowed] = GetParam();
  const auto set = std::make_shared<UnevenShards>(size);
  for (int ranks = 1; ranks <= 5; ++ranks) {
    for (int threads = 1; threads <= 8; ++threads) {
      LoaderOptions options;
      options.batch = 1 + (7 * ranks + 3 * threads) % 23;
      options.ranks = ranks;
      options.threads = threads;
      options.ahead = 1 + threads % 3;
      options.epochs = kEpochs;
      if (windowed) options.window = 1 + (ranks * threads) % 11;
      const std::int64_t per_epoch = (size + options.batch - 1) / options.batch;
      const Kill kill{1 + (11 * ranks + 5 * threads) % (kEpochs * per_epoch), 1 + (ranks + threads) % 5,
                      1 + (ranks + 3 * threads) % 8};
      std::map<std::pair<std::int64_t, std::int64_t>, int> seen;
      {
        Ranks before(set, options);
        for (std::int64_t step = 0; step < kill.step; ++step) ASSERT_TRUE(before.take(seen));
      }
      options.start_epoch = kill.step / per_epoch;
      options.start_iteration = kill.step % per_epoch;
      options.ranks = kill.ranks_after;
      options.threads = kill.threads_after;
      Ranks after(set, options);
      while (after.take(seen)) continue;
      ASSERT_EQ(seen.size(), static_cast<std::size_t>(kEpochs * size));
      ASSERT_TRUE(std::ranges::all_of(seen, [](const auto& one) { return one.second == 1; }))
          << size << " samples, " << ranks << " ranks, " << threads << " threads, killed after " << kill.step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(SizesAndOrders, ExactlyOnce,
                         testing::Combine(testing::Values(1, 31, 127), testing::Bool()), [](const auto& one) {
                           return (std::get<1>(one.param) ? "Window" : "Random") +
                                  std::to_string(std::get<0>(one.param));
                         });

}  // namespace
}  // namespace convoy
