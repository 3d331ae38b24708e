// The end of a step against a simulation of another kind: time goes on from event to event, and at each one
// whatever can begin begins.

#include "trainer/planner/overlap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace convoy {
namespace {

/// One engine, busy until a time with something of a bucket.
struct Engine {
  double busy_until = -1;
  int bucket = -1;
  bool second = false;  ///< gathers; the stream's other work is reducing
};

double simulated(const std::vector<BucketCost>& buckets, double backward) {
  const auto count = static_cast<int>(buckets.size());
  std::vector<bool> reduced(buckets.size()), updated(buckets.size());
  Engine stream, compute;
  int to_reduce = 0, to_update = 0, to_gather = 0;
  double now = 0;
  while (true) {
    // What ends now.
    if (stream.bucket >= 0 && stream.busy_until <= now) {
      if (!stream.second) reduced[static_cast<std::size_t>(stream.bucket)] = true;
      stream.bucket = -1;
    }
    if (compute.bucket >= 0 && compute.busy_until <= now) {
      updated[static_cast<std::size_t>(compute.bucket)] = true;
      compute.bucket = -1;
    }
    // What begins now.
    if (stream.bucket < 0 && to_reduce < count && buckets[static_cast<std::size_t>(to_reduce)].ready <= now) {
      stream = {now + buckets[static_cast<std::size_t>(to_reduce)].reduce, to_reduce, false};
      ++to_reduce;
    } else if (stream.bucket < 0 && to_reduce == count && to_gather < count &&
               updated[static_cast<std::size_t>(to_gather)]) {
      stream = {now + buckets[static_cast<std::size_t>(to_gather)].gather, to_gather, true};
      ++to_gather;
    }
    if (compute.bucket < 0 && now >= backward && to_update < count &&
        reduced[static_cast<std::size_t>(to_update)]) {
      compute = {now + buckets[static_cast<std::size_t>(to_update)].update, to_update, false};
      ++to_update;
    }
    // The next event.
    double next = std::numeric_limits<double>::infinity();
    const auto consider = [&](double time) {
      if (time > now) next = std::min(next, time);
    };
    if (stream.bucket >= 0) consider(std::max(stream.busy_until, std::nextafter(now, 1e9)));
    if (compute.bucket >= 0) consider(std::max(compute.busy_until, std::nextafter(now, 1e9)));
    if (to_reduce < count) consider(buckets[static_cast<std::size_t>(to_reduce)].ready);
    consider(backward);
    if (next == std::numeric_limits<double>::infinity()) return now;
    now = next;
  }
}

TEST(Overlap, EndsAsASimulationEventByEvent) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int round = 0; round < 2000; ++round) {
    const bool sharded = round % 2 == 1;
    const double slow = round % 3 == 0 ? 0.05 : round % 3 == 1 ? 0.5 : 3;
    std::vector<BucketCost> buckets(1 + static_cast<std::size_t>(round % 12));
    double ready = 0;
    for (BucketCost& bucket : buckets) {
      ready += uniform(random);
      bucket = {ready, slow * uniform(random), 0.1 * uniform(random), sharded ? slow * uniform(random) : 0};
    }
    const double backward = ready + uniform(random) * 0.2;
    ASSERT_NEAR(step_end(buckets, backward), simulated(buckets, backward), 1e-9) << "round " << round;
  }
}

TEST(Overlap, HidesAllButTheLastBucketWhereCommunicationIsFast) {
  // Three buckets, ready at 1, 2, 3; backward ends at 3: only the last reduction is waited for.
  const std::vector<BucketCost> buckets{{1, 0.5, 0.25, 0}, {2, 0.5, 0.25, 0}, {3, 0.5, 0.25, 0}};
  EXPECT_DOUBLE_EQ(step_end(buckets, 3), 3.75);
}

TEST(Overlap, AddsUpWhatComesAfterOneAnotherWhereCommunicationIsSlow) {
  const std::vector<BucketCost> buckets{{1, 10, 1, 0}, {2, 10, 1, 0}, {3, 10, 1, 0}};
  EXPECT_DOUBLE_EQ(step_end(buckets, 3), 1 + 30 + 1);
  // Gathers stand in the queue behind all reductions; the second update ends at 22, while the first gather
  // goes on.
  const std::vector<BucketCost> sharded{{1, 10, 1, 5}, {2, 10, 1, 5}};
  EXPECT_DOUBLE_EQ(step_end(sharded, 3), 21 + 5 + 5);
}

TEST(Overlap, WithoutCommunicationIsBackwardAndUpdates) {
  EXPECT_DOUBLE_EQ(step_end({}, 3), 3);
  const std::vector<BucketCost> buckets{{1, 0, 0.5, 0}, {2, 0, 0.25, 0}};
  EXPECT_DOUBLE_EQ(step_end(buckets, 3), 3.75);
}

}  // namespace
}  // namespace convoy
