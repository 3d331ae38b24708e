#include "trainer/program/buckets.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "layers/core/error.h"
#include "layers/core/philox.h"

namespace convoy {
namespace {

using Sizes = std::vector<std::int64_t>;

TEST(Buckets, AreClosedByTheTensorThatFillsThem) {
  // The first at 100 bytes, the others at 400; 4 bytes an element.
  const std::vector<Slice> buckets = make_buckets(Sizes{10, 15, 50, 50, 30, 70}, 4, 400, 100);
  EXPECT_EQ(buckets, (std::vector<Slice>{{0, 25}, {25, 100}, {125, 100}}));
}

TEST(Buckets, ABigTensorIsABucketOfItsOwn) {
  const std::vector<Slice> buckets = make_buckets(Sizes{20, 500, 60}, 4, 400, 100);
  EXPECT_EQ(buckets, (std::vector<Slice>{{0, 20}, {20, 500}, {520, 60}}));
}

TEST(Buckets, ATinyRemainderJoinsTheLastBucket) {
  EXPECT_EQ(make_buckets(Sizes{100, 100, 5}, 4, 400, 400), (std::vector<Slice>{{0, 100}, {100, 105}}));
  EXPECT_EQ(make_buckets(Sizes{3}, 4, 400, 400), (std::vector<Slice>{{0, 3}})) << "but alone it stays";
}

TEST(Buckets, NothingGivesNoBucket) {
  EXPECT_TRUE(make_buckets(Sizes{}, 4, 400, 100).empty());
  EXPECT_TRUE(make_buckets(Sizes{0, 0}, 4, 400, 100).empty());
}

TEST(Buckets, RefuseImpossibleSizes) {
  EXPECT_THROW(make_buckets(Sizes{1}, 4, 3, 4), Error);
  EXPECT_THROW(make_buckets(Sizes{1}, 4, 4, 0), Error);
  EXPECT_THROW(make_buckets(Sizes{-1}, 4, 400, 100), Error);
}

TEST(Buckets, CoverAnyBufferExactlyAndCutBetweenTensors) {
  const RandomStream random(1, Purpose::synthetic, 0);
  for (std::uint32_t trial = 0; trial < 500; ++trial) {
    Sizes sizes;
    std::set<std::int64_t> ends{0};
    const std::uint32_t tensors = uniform_below(random.word(trial, 0, 0), 40);
    for (std::uint32_t i = 0; i < tensors; ++i) {
      sizes.push_back(
          uniform_below(random.word(trial, 1, i), 10) == 0
              ? 0
              : uniform_below(random.word(trial, 2, i), 1 + uniform_below(random.word(trial, 3, i), 5000)));
      ends.insert(*ends.rbegin() + sizes.back());
    }
    const std::int64_t limit = 4 + uniform_below(random.word(trial, 4, 0), 20000);
    const std::vector<Slice> buckets = make_buckets(sizes, 4, limit, std::max<std::int64_t>(4, limit / 4));
    std::int64_t next = 0;
    for (const Slice& bucket : buckets) {
      EXPECT_EQ(bucket.first, next);
      EXPECT_GT(bucket.count, 0);
      next += bucket.count;
      EXPECT_TRUE(ends.contains(next)) << "a bucket ends where a tensor ends";
    }
    EXPECT_EQ(next, std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
  }
}

}  // namespace
}  // namespace convoy
