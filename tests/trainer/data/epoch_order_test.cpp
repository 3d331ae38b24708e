#include "trainer/data/epoch_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "layers/core/error.h"

namespace convoy {
namespace {

std::vector<std::int64_t> whole(std::uint64_t seed, std::int64_t epoch, std::int64_t size) {
  const EpochOrder order(seed, epoch, size, true);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < size; ++i) indices.push_back(order.at(i));
  return indices;
}

TEST(EpochOrder, IsAPermutationAtEverySize) {
  for (std::int64_t size = 1; size <= 300; ++size) {
    std::vector<std::int64_t> indices = whole(5, size % 3, size);
    std::sort(indices.begin(), indices.end());
    for (std::int64_t i = 0; i < size; ++i) ASSERT_EQ(indices[static_cast<std::size_t>(i)], i) << size;
  }
}

TEST(EpochOrder, IsAPermutationOfAMillion) {
  for (const std::int64_t size : {std::int64_t{1000000}, std::int64_t{1000003}}) {
    const EpochOrder order(1, 4, size, true);
    std::vector<bool> seen(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) {
      const auto index = static_cast<std::size_t>(order.at(i));
      ASSERT_LT(index, seen.size());
      ASSERT_FALSE(seen[index]);
      seen[index] = true;
    }
  }
}

TEST(EpochOrder, StaysInRangeAndInjectiveAtAnySize) {
  for (const std::int64_t size :
       {std::int64_t{14197122}, (std::int64_t{1} << 40) + 1, (std::int64_t{1} << 62) - 1}) {
    const EpochOrder order(9, 0, size, true);
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < 20000; ++i)
      indices.push_back(order.at(i < 10000 ? i : size - 1 - (i - 10000)));
    EXPECT_GE(*std::min_element(indices.begin(), indices.end()), 0);
    EXPECT_LT(*std::max_element(indices.begin(), indices.end()), size);
    std::sort(indices.begin(), indices.end());
    EXPECT_EQ(std::adjacent_find(indices.begin(), indices.end()), indices.end());
  }
}

TEST(EpochOrder, WithoutShuffleCountsUp) {
  const EpochOrder order(1, 1, 10, false);
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ(order.at(i), i);
}

TEST(EpochOrder, DiffersBySeedAndEpoch) {
  EXPECT_EQ(whole(1, 0, 1000), whole(1, 0, 1000));
  for (const auto& other : {whole(2, 0, 1000), whole(1, 1, 1000)}) {
    const auto one = whole(1, 0, 1000);
    int same = 0;
    for (std::size_t i = 0; i < 1000; ++i) same += one[i] == other[i];
    EXPECT_LT(same, 10);  // one expected
  }
}

// The order is part of what a resumed run repeats: these numbers never change. They come from a second
// implementation, in Python.
TEST(EpochOrder, IsTheOneOfEarlierVersions) {
  const EpochOrder order(1, 0, 60000, true);
  std::vector<std::int64_t> first;
  for (std::int64_t i = 0; i < 8; ++i) first.push_back(order.at(i));
  EXPECT_EQ(first, (std::vector<std::int64_t>{10220, 405, 39133, 7352, 39442, 37118, 18131, 8232}));
  EXPECT_EQ(whole(1, 0, 10), (std::vector<std::int64_t>{3, 6, 0, 7, 4, 2, 8, 5, 9, 1}));
}

/// Chi-square of counts that should be equal, in standard deviations from its mean.
double surprise(const std::vector<int>& counts) {
  double total = 0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  double chi = 0;
  for (const int count : counts) chi += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size()) - 1;
  return (chi - freedom) / std::sqrt(2 * freedom);
}

TEST(EpochOrder, EveryPermutationOfAFewIsAsLikely) {
  const std::vector<std::pair<std::int64_t, std::size_t>> sizes{{2, 2}, {3, 6}, {4, 24}, {5, 120}, {6, 720}};
  for (const auto& [size, permutations] : sizes) {
    std::map<std::vector<std::int64_t>, int> seen;
    for (std::int64_t epoch = 0; epoch < 24000; ++epoch) ++seen[whole(3, epoch, size)];
    std::vector<int> counts;
    for (const auto& [order, count] : seen) counts.push_back(count);
    EXPECT_EQ(counts.size(), permutations) << size;
    EXPECT_LT(surprise(counts), 5) << size;
  }
}

// Where each sample comes over many epochs, and how far neighbours fall apart in one, is uniform.
TEST(EpochOrder, PositionsAndDistancesAreUniform) {
  for (const std::size_t size : {37U, 257U}) {
    std::vector<int> place_of(size * size);
    std::vector<int> distance(size - 1);
    for (std::int64_t epoch = 0; epoch < 2000; ++epoch) {
      const std::vector<std::int64_t> order = whole(11, epoch, static_cast<std::int64_t>(size));
      for (std::size_t i = 0; i < size; ++i) {
        ++place_of[i * size + static_cast<std::size_t>(order[i])];
        if (i > 0) ++distance[(static_cast<std::size_t>(order[i] - order[i - 1]) + size) % size - 1];
      }
    }
    EXPECT_LT(std::abs(surprise(place_of)), 5) << size;
    EXPECT_LT(std::abs(surprise(distance)), 5) << size;
  }
  const EpochOrder large(2, 0, 1 << 20, true);
  std::vector<int> buckets(1 << 10);
  for (std::int64_t i = 0; i < 1 << 16; ++i) {
    const std::int64_t step = large.at(i + 1) - large.at(i) + (1 << 20);
    ++buckets[static_cast<std::size_t>(step % (1 << 20) / (1 << 10))];
  }
  EXPECT_LT(std::abs(surprise(buckets)), 5);
}

TEST(EpochOrder, RefusesWhatIsOutOfRange) {
  EXPECT_THROW(EpochOrder(1, 0, -1, true), Error);
  EXPECT_THROW(EpochOrder(1, -1, 5, true), Error);
  EXPECT_THROW(EpochOrder(1, 0, 5, true).at(5), Error);
  EXPECT_THROW(EpochOrder(1, 0, 5, true).at(-1), Error);
  EXPECT_THROW(EpochOrder(1, 0, 0, true).at(0), Error);
}

TEST(ShareOf, CutsTheWholeWithoutGapAndEvenly) {
  for (std::int64_t total = 0; total < 40; ++total) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Share share = share_of(total, rank, ranks);
        EXPECT_EQ(share.first, next);
        EXPECT_GE(share.count, total / ranks);
        EXPECT_LE(share.count, (total + ranks - 1) / ranks);
        next += share.count;
      }
      EXPECT_EQ(next, total);
    }
  }
}

}  // namespace
}  // namespace convoy
