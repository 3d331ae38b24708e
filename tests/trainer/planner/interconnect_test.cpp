// The time of collectives against hand-calculated values and NCCL's own definitions.

#include "trainer/planner/interconnect.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

using Library = Interconnect::Library;

/// 5 us and 10 GB/s inside, 20 us and 4 GB/s between hosts.
Interconnect links(Library library, std::int64_t ranks_per_host) {
  return {library, {5e-6, 10e9}, {20e-6, 4e9}, ranks_per_host};
}

/// nccl-tests, doc/PERFORMANCE.md: bytes / seconds · 2(n-1)/n for an all-reduce, (n-1)/n for the halves.
double bus_bandwidth(double seconds, double bytes, double ranks) {
  return bytes / seconds * 2 * (ranks - 1) / ranks;
}

TEST(Interconnect, FillsHostsOneAfterTheOther) {
  const Interconnect eight = links(Library::nccl, 8);
  EXPECT_EQ(eight.hosts(1), 1);
  EXPECT_EQ(eight.hosts(8), 1);
  EXPECT_EQ(eight.hosts(9), 2);
  EXPECT_EQ(eight.hosts(512), 64);
  EXPECT_EQ(eight.ranks_on_host(3), 3);
  EXPECT_EQ(eight.ranks_on_host(12), 8);
  EXPECT_EQ(links(Library::nccl, -1).hosts(1000), 1);
}

TEST(Interconnect, OneRankTalksToNobody) {
  for (const Library library : {Library::nccl, Library::pairs}) {
    const Interconnect one = links(library, 8);
    EXPECT_EQ(all_reduce_seconds(one, 1, 1e9), 0);
    EXPECT_EQ(ring_seconds(one, 1, 1e9), 0);
    EXPECT_EQ(tree_seconds(one, 1, 1e9), 0);
    EXPECT_EQ(reduce_scatter_seconds(one, 1, 1e9), 0);
    EXPECT_EQ(all_gather_seconds(one, 1, 1e9), 0);
  }
}

TEST(Ring, IsAsCalculatedByHand) {
  // Four ranks of one host: 6 steps of 5 us, 1.5 times 40 MB at 10 GB/s.
  EXPECT_DOUBLE_EQ(ring_seconds(links(Library::nccl, -1), 4, 40e6), 6 * 5e-6 + 6e-3);
  // Sixteen ranks on two hosts: of 30 steps two go between hosts, whose link is the slower one.
  EXPECT_DOUBLE_EQ(ring_seconds(links(Library::nccl, 8), 16, 40e6),
                   28 * 5e-6 + 2 * 20e-6 + 2 * 15.0 / 16 * 40e6 / 4e9);
  // A rank a host: no link inside counts.
  EXPECT_DOUBLE_EQ(ring_seconds(links(Library::nccl, 1), 4, 40e6), 6 * 20e-6 + 1.5 * 40e6 / 4e9);
}

TEST(Ring, ReachesTheBandwidthOfItsLinkForManyBytes) {
  for (const std::int64_t ranks : {2, 3, 8, 64}) {
    const double n = static_cast<double>(ranks);
    EXPECT_NEAR(bus_bandwidth(ring_seconds(links(Library::nccl, -1), ranks, 1e12), 1e12, n), 10e9, 1e6);
    EXPECT_NEAR(1e12 / reduce_scatter_seconds(links(Library::nccl, -1), ranks, 1e12) * (n - 1) / n, 10e9,
                1e6);
    EXPECT_NEAR(1e12 / all_gather_seconds(links(Library::nccl, -1), ranks, 1e12) * (n - 1) / n, 10e9, 1e6);
  }
}

TEST(Ring, IsAReduceScatterAndAnAllGather) {
  for (const std::int64_t ranks : {2, 5, 24}) {
    for (const Library library : {Library::nccl, Library::pairs}) {
      const Interconnect l = links(library, 4);
      const double whole =
          library == Library::nccl ? ring_seconds(l, ranks, 3e7) : all_reduce_seconds(l, ranks, 3e7);
      EXPECT_DOUBLE_EQ(reduce_scatter_seconds(l, ranks, 3e7) + all_gather_seconds(l, ranks, 3e7), whole);
    }
  }
}

TEST(Tree, IsAsCalculatedByHand) {
  // 64 hosts of one rank: six steps up and six down; all bytes twice at nine tenths of 4 GB/s.
  EXPECT_DOUBLE_EQ(tree_seconds(links(Library::nccl, 1), 64, 36e6), 12 * 20e-6 + 2 * 36e6 / 3.6e9);
  // 64 hosts of eight: chains of seven steps inside, up and down.
  EXPECT_DOUBLE_EQ(tree_seconds(links(Library::nccl, 8), 512, 36e6),
                   14 * 5e-6 + 12 * 20e-6 + 2 * 36e6 / 3.6e9);
  // Five hosts need a depth of three.
  EXPECT_DOUBLE_EQ(tree_seconds(links(Library::nccl, 1), 5, 0), 6 * 20e-6);
}

TEST(Tree, IsTakenForLittleDataOnManyHostsAndTheRingForMuch) {
  const Interconnect l = links(Library::nccl, 8);
  EXPECT_EQ(all_reduce_seconds(l, 512, 1e5), tree_seconds(l, 512, 1e5));
  EXPECT_LT(tree_seconds(l, 512, 1e5), ring_seconds(l, 512, 1e5) / 5);
  EXPECT_EQ(all_reduce_seconds(l, 512, 1e9), ring_seconds(l, 512, 1e9));
  // Nor can a tree be faster than what crosses the links: each rank takes all bytes twice.
  EXPECT_LE(bus_bandwidth(tree_seconds(l, 512, 1e12), 1e12, 512), 4e9);
}

TEST(Pairs, SendToEveryoneOverTheAdapterOfTheHost) {
  // Two ranks of one host: two phases of half the data.
  EXPECT_DOUBLE_EQ(all_reduce_seconds(links(Library::pairs, -1), 2, 40e6), 2 * (5e-6 + 20e6 / 10e9));
  // Two hosts of two ranks: one neighbour inside; both ranks send to both others through one adapter.
  EXPECT_DOUBLE_EQ(all_reduce_seconds(links(Library::pairs, 2), 4, 40e6),
                   2 * (20e-6 + 10e6 / 10e9 + 40e6 / 4e9));
}

TEST(Collectives, NeverGetFasterWithMoreBytesOrSlowerWithBetterLinks) {
  for (const Library library : {Library::nccl, Library::pairs}) {
    const Interconnect l = links(library, 8);
    for (const std::int64_t ranks : {2, 4, 8, 16, 31, 256}) {
      double before = 0;
      for (double bytes = 1; bytes < 1e10; bytes *= 3) {
        const double seconds = all_reduce_seconds(l, ranks, bytes);
        EXPECT_GE(seconds, before);
        before = seconds;
        for (const int part : {0, 1, 2, 3}) {
          Interconnect better = l;
          if (part == 0) better.inside.latency_seconds /= 2;
          if (part == 1) better.inside.bytes_per_second *= 2;
          if (part == 2) better.between.latency_seconds /= 2;
          if (part == 3) better.between.bytes_per_second *= 2;
          EXPECT_LE(all_reduce_seconds(better, ranks, bytes), seconds);
        }
      }
    }
  }
}

}  // namespace
}  // namespace convoy
