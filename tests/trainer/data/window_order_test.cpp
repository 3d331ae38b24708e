#include "trainer/data/window_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <numeric>

#include "layers/core/error.h"
#include "tests/trainer/data/count_allocations.h"
#include "tests/trainer/data/counting_dataset.h"
#include "trainer/data/epoch_order.h"
#include "trainer/data/loader.h"

namespace convoy {
namespace {

std::vector<std::int64_t> starts_of(const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> starts{0};
  for (const std::int64_t size : sizes) starts.push_back(starts.back() + size);
  return starts;
}

std::vector<std::int64_t> whole(const WindowOrder& order) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < order.size(); ++i) indices.push_back(order.at(i));
  return indices;
}

const std::vector<std::vector<std::int64_t>> kSizes{{1},      {7},    {5, 5, 5},       {3, 0, 11, 1, 8, 2},
                                                    {100, 1}, {0, 0}, {40, 40, 40, 37}};

TEST(WindowOrder, EverySampleComesExactlyOnce) {
  for (const auto& sizes : kSizes) {
    const std::vector<std::int64_t> starts = starts_of(sizes);
    for (const std::int64_t window : {1, 2, 3, 7, 10, 64, 1000}) {
      for (const std::int64_t epoch : {0, 1, 5}) {
        std::vector<std::int64_t> indices = whole(WindowOrder(3, epoch, starts, window));
        std::ranges::sort(indices);
        std::vector<std::int64_t> expected(static_cast<std::size_t>(starts.back()));
        std::iota(expected.begin(), expected.end(), 0);
        EXPECT_EQ(indices, expected) << sizes.size() << " shards, windows of " << window;
      }
    }
  }
}

// What a window holds stands together on the disk: a stretch of the shards laid in the epoch's order.
TEST(WindowOrder, AWindowIsAStretchOfShardsInARow) {
  const std::vector<std::int64_t> starts = starts_of({40, 40, 40, 37});
  const WindowOrder order(1, 2, starts, 25);
  const WindowOrder in_order(1, 2, starts, 1);  // the shards' samples one after the other
  const std::vector<std::int64_t> row = whole(in_order);
  for (std::size_t i = 1; i < row.size(); ++i) {
    const bool next = row[i] == row[i - 1] + 1;
    EXPECT_TRUE(next || std::ranges::find(starts, row[i]) != starts.end())
        << "a shard is read from its front";
  }
  std::vector<std::int64_t> shuffled = whole(order);
  for (std::size_t first = 0; first < row.size(); first += 25) {
    const auto from = static_cast<std::ptrdiff_t>(first);
    const auto to = static_cast<std::ptrdiff_t>(std::min(first + 25, row.size()));
    EXPECT_FALSE(std::equal(row.begin() + from, row.begin() + to, shuffled.begin() + from)) << "is shuffled";
    EXPECT_TRUE(std::is_permutation(row.begin() + from, row.begin() + to, shuffled.begin() + from));
  }
}

TEST(WindowOrder, DiffersBySeedAndEpoch) {
  const std::vector<std::int64_t> starts = starts_of({50, 50, 50, 50});
  const auto one = whole(WindowOrder(1, 0, starts, 30));
  EXPECT_EQ(one, whole(WindowOrder(1, 0, starts, 30)));
  EXPECT_NE(one, whole(WindowOrder(2, 0, starts, 30)));
  EXPECT_NE(one, whole(WindowOrder(1, 1, starts, 30)));
  EXPECT_THROW(WindowOrder(1, 0, starts, 30).at(200), Error);
  EXPECT_THROW(WindowOrder(1, 0, starts, 30).at(-1), Error);
  EXPECT_THROW(WindowOrder(1, 0, starts, 0), Error);
}

// Part of what a resumed run repeats: these numbers never change. They come from a second implementation, in
// Python.
TEST(WindowOrder, IsTheOneOfEarlierVersions) {
  const WindowOrder order(1, 0, starts_of({10, 10, 10}), 8);
  std::vector<std::int64_t> first;
  for (std::int64_t i = 0; i < 10; ++i) first.push_back(order.at(i));
  EXPECT_EQ(first, (std::vector<std::int64_t>{5, 1, 7, 4, 2, 3, 6, 0, 11, 15}));
}

// What the ranks fetch is, all together, the stretch: each its own, in the order of the disk.
TEST(WindowOrder, RanksShareAStretchAsTheyShareBatches) {
  const std::vector<std::int64_t> starts = starts_of({30, 30, 30});
  const WindowOrder order(4, 1, starts, 20);
  for (int ranks = 1; ranks <= 5; ++ranks) {
    for (const std::int64_t batch : {1, 7, 16, 200}) {
      std::vector<std::int64_t> all;
      for (int rank = 0; rank < ranks; ++rank) {
        const std::vector<std::int64_t> mine = indices_of_rank(order, {20, 20, batch, rank, ranks});
        EXPECT_TRUE(std::ranges::is_sorted(mine));
        all.insert(all.end(), mine.begin(), mine.end());
      }
      std::vector<std::int64_t> expected;
      for (std::int64_t i = 20; i < 40; ++i) expected.push_back(order.at(i));
      EXPECT_TRUE(std::ranges::is_permutation(all, expected)) << ranks << " ranks, batches of " << batch;
    }
  }
}

// 14 million images, and 14 times as many: orders take no memory that grows with them.
TEST(SamplerAtScale, MemoryDoesNotGrowWithTheSet) {
  const auto taken = [](std::int64_t size) {
    const std::int64_t before = allocations();
    const EpochOrder order(1, 0, size, true);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < 1000; ++i) sum += order.at(size - 1 - i);
    EXPECT_GT(sum, 0);
    return allocations() - before;
  };
  EXPECT_EQ(taken(14'197'122), 0);
  EXPECT_EQ(taken(200'000'000), 0);
  EXPECT_LE(sizeof(EpochOrder), 64U);
  std::vector<std::int64_t> sizes(14'198, 1000);  // 14 million in shards of 1,000
  const std::vector<std::int64_t> starts = starts_of(sizes);
  const WindowOrder order(1, 0, starts, 4096);
  const std::int64_t before = allocations();
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < 1000; ++i) sum += order.at(i * 14'000);
  EXPECT_GT(sum, 0);
  EXPECT_EQ(allocations(), before);
}

/// A set in shards that remembers what it was told to fetch.
class ShardedDataset : public CountingDataset {
 public:
  ShardedDataset(std::int64_t size, std::int64_t shard) : CountingDataset(size), shard_(shard) {}
  std::vector<std::int64_t> shard_starts() const override {
    std::vector<std::int64_t> starts;
    for (std::int64_t i = 0; i < size(); i += shard_) starts.push_back(i);
    starts.push_back(size());
    return starts;
  }
  void will_read(std::span<const std::int64_t> indices) const override {
    const std::lock_guard lock(mutex);
    fetched.emplace_back(indices.begin(), indices.end());
    if (fails) fail(ExitCode::data, "cannot fetch");
  }

  bool fails = false;
  mutable std::mutex mutex;
  mutable std::vector<std::vector<std::int64_t>> fetched;

 private:
  std::int64_t shard_;
};

LoaderOptions windowed(std::int64_t batch, std::int64_t window, std::int64_t epochs) {
  LoaderOptions options;
  options.batch = batch;
  options.epochs = epochs;
  options.window = window;
  options.ahead = 3;
  return options;
}

/// Indices of all batches, one after the other, of all ranks.
std::vector<std::vector<std::int64_t>> load_indices(const std::shared_ptr<const Dataset>& set,
                                                    LoaderOptions options) {
  std::vector<std::unique_ptr<Loader>> loaders;
  for (options.rank = 0; options.rank < options.ranks; ++options.rank) {
    loaders.push_back(std::make_unique<Loader>(set, Shape{1, 2, 2}, options));
  }
  std::vector<std::vector<std::int64_t>> batches;
  while (true) {
    std::vector<std::int64_t> indices;
    for (const auto& loader : loaders) {
      const Batch* batch = loader->next();
      if (batch == nullptr) return batches;
      indices.insert(indices.end(), batch->indices.begin(), batch->indices.end());
    }
    batches.push_back(std::move(indices));
  }
}

TEST(WindowedLoader, EachSampleOnceAnEpochForAnyRanksThreadsAndSizes) {
  for (const std::int64_t size : {1, 13, 97}) {
    const auto set = std::make_shared<ShardedDataset>(size, 10);
    for (const std::int64_t batch : {1, 8, 100}) {
      for (const std::int64_t window : {1, 12, 500}) {
        LoaderOptions options = windowed(batch, window, 2);
        const auto expected = load_indices(set, options);
        std::vector<int> seen(static_cast<std::size_t>(size));
        for (const auto& indices : expected) {
          for (const std::int64_t index : indices) ++seen.at(static_cast<std::size_t>(index));
        }
        EXPECT_EQ(std::ranges::count(seen, 2), size) << batch << " " << window;
        for (int ranks = 1; ranks <= 5; ++ranks) {
          options.ranks = ranks;
          options.threads = 1 + (ranks * 3) % 8;
          EXPECT_EQ(load_indices(set, options), expected) << ranks << " ranks, windows of " << window;
        }
      }
    }
  }
}

TEST(WindowedLoader, AResumeAtAnyStepGoesOnWithTheSameBatches) {
  const auto set = std::make_shared<ShardedDataset>(31, 7);
  LoaderOptions options = windowed(8, 10, 3);
  const auto expected = load_indices(set, options);
  ASSERT_EQ(expected.size(), 12U);
  for (std::int64_t start = 0; start <= 12; ++start) {
    options.start_epoch = start / 4;
    options.start_iteration = start % 4;
    options.ranks = 1 + static_cast<int>(start) % 3;
    options.threads = 1 + static_cast<int>(start) % 4;
    EXPECT_EQ(load_indices(set, options), std::vector(expected.begin() + start, expected.end())) << start;
  }
}

TEST(WindowedLoader, FetchesWhatItWillReadInTheOrderOfTheDisk) {
  const auto set = std::make_shared<ShardedDataset>(60, 20);
  LoaderOptions options = windowed(5, 15, 2);
  options.threads = 3;
  Loader loader(set, {1, 2, 2}, options);
  std::vector<std::vector<std::int64_t>> batches;
  while (const Batch* batch = loader.next()) batches.push_back(batch->indices);
  const auto fetched = [&] {
    const std::lock_guard lock(set->mutex);
    return set->fetched.size();
  };
  for (int i = 0; i < 5000 && fetched() < 8; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_EQ(fetched(), 8U) << "four windows an epoch";
  for (std::size_t w = 0; w < 8; ++w) {
    std::vector<std::int64_t> read;
    for (std::size_t k = 3 * w; k < 3 * w + 3; ++k)
      read.insert(read.end(), batches[k].begin(), batches[k].end());
    std::ranges::sort(read);
    EXPECT_EQ(set->fetched[w], read) << "window " << w;
  }
}

// Also in the last batch, which is smaller.
TEST(WindowedLoader, FetchesTheRanksOwnSamplesOnly) {
  for (int ranks = 1; ranks <= 3; ++ranks) {
    for (int rank = 0; rank < ranks; ++rank) {
      const auto set = std::make_shared<ShardedDataset>(58, 20);
      LoaderOptions options = windowed(7, 15, 1);
      options.ranks = ranks;
      options.rank = rank;
      std::vector<std::int64_t> read;
      {
        Loader loader(set, {1, 2, 2}, options);
        while (const Batch* batch = loader.next()) {
          read.insert(read.end(), batch->indices.begin(), batch->indices.end());
        }
        const auto fetched = [&] {
          const std::lock_guard lock(set->mutex);
          return set->fetched.size();
        };
        for (int i = 0; i < 5000 && fetched() < 4; ++i)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      std::vector<std::int64_t> all;
      for (const auto& window : set->fetched) all.insert(all.end(), window.begin(), window.end());
      EXPECT_TRUE(std::ranges::is_permutation(all, read)) << "rank " << rank << " of " << ranks;
    }
  }
}

TEST(WindowedLoader, AFailureToFetchIsLeftToTheReading) {
  const auto set = std::make_shared<ShardedDataset>(60, 20);
  set->fails = true;
  EXPECT_EQ(load_indices(set, windowed(5, 15, 1)).size(), 12U);
}

}  // namespace
}  // namespace convoy
