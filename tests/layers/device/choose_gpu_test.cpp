#include "layers/device/cuda/choose_gpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/core/error.h"

namespace convoy {
namespace {

/// Of "0" bus and UUID are "0", of "0/a" they are "0" and "a".
SeenGpus sees(const std::string& host, const std::vector<std::string>& names) {
  SeenGpus seen{host, {}};
  for (const std::string& name : names) {
    const std::size_t slash = name.find('/');
    seen.gpus.push_back({name.substr(0, slash), name.substr(slash == std::string::npos ? 0 : slash + 1)});
  }
  return seen;
}

/// The UUIDs of what the ranks take.
std::vector<std::string> taken(const std::vector<SeenGpus>& all, bool shared = false) {
  std::vector<std::string> uuids;
  for (int rank = 0; rank < static_cast<int>(all.size()); ++rank) {
    const auto index = static_cast<std::size_t>(take_gpu(all, rank, shared).index);
    uuids.push_back(all[static_cast<std::size_t>(rank)].gpus.at(index).uuid);
  }
  return uuids;
}

using Uuids = std::vector<std::string>;

TEST(ChooseGpu, GivesEachRankOfAHostItsOwn) {
  const SeenGpus a = sees("a", {"0", "1", "2", "3"});
  const SeenGpus b = sees("b", {"0", "1"});
  EXPECT_EQ(taken({a, a, a, a}), (Uuids{"0", "1", "2", "3"}));
  EXPECT_EQ(taken({a, b, a, b, a}), (Uuids{"0", "0", "1", "1", "2"}));
  EXPECT_EQ(taken({b, b, b, b, b}, true), (Uuids{"0", "1", "0", "1", "0"}));
  EXPECT_EQ(take_gpu({b, b, b}, 0, true).sharers, 2);
  EXPECT_EQ(take_gpu({b, b, b}, 1, true).sharers, 1);
}

// CUDA_VISIBLE_DEVICES as launchers set it: for a rank alone, or for those of a socket, to which Slurm deals
// ranks out in turn.
TEST(ChooseGpu, GivesRanksThatSeeDifferentGpusTheirOwn) {
  EXPECT_EQ(taken({sees("a", {"0"}), sees("a", {"1"}), sees("a", {"2"})}), (Uuids{"0", "1", "2"}));
  const SeenGpus first = sees("a", {"0", "1"});
  const SeenGpus second = sees("a", {"2", "3"});
  EXPECT_THAT(taken({first, first, second, second}), testing::UnorderedElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(taken({first, second, first, second}), testing::UnorderedElementsAre("0", "1", "2", "3"));
  // The first leaves its usual one to the second, which sees no other.
  EXPECT_EQ(taken({first, sees("a", {"0"})}), (Uuids{"1", "0"}));
}

// CUDA shows a process one part of a divided GPU at most. NCCL goes by the bus.
TEST(ChooseGpu, TellsPartsOfOneGpuApart) {
  const std::vector<SeenGpus> all{sees("a", {"0/x"}), sees("a", {"0/y"}), sees("a", {"1"})};
  EXPECT_EQ(taken(all), (Uuids{"x", "y", "1"}));
  EXPECT_EQ(take_gpu(all, 0, false).sharers, 1);
  EXPECT_TRUE(take_gpu(all, 0, false).is_divided);
  EXPECT_FALSE(take_gpu(all, 2, false).is_divided);
}

TEST(ChooseGpu, NamesTheRankWithoutAGpu) {
  const SeenGpus a = sees("a", {"0", "1/u"});
  const std::vector<SeenGpus> all{a, a, sees("b", {"0"}), sees("a", {"1/u"})};
  for (int rank = 0; rank < 4; ++rank) {
    try {
      take_gpu(all, rank, false);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_THAT(error.what(),
                  testing::HasSubstr("rank 3 has no GPU of its own: rank 1 has taken a GPU 1 (u)"));
    }
  }
  EXPECT_EQ(take_gpu(all, 3, true).sharers, 2);
  EXPECT_EQ(take_gpu(all, 2, true).sharers, 1);
}

TEST(ChooseGpu, TellsOtherRanksWhatItSees) {
  const SeenGpus seen = seen_gpus_of(seen_gpus_text(sees("node 7", {"0000:17:00/8f3a", "0000:65:00/11bc"})));
  EXPECT_EQ(seen.host, "node 7");
  ASSERT_EQ(seen.gpus.size(), 2U);
  EXPECT_EQ(seen.gpus[1].bus, "0000:65:00");
  EXPECT_EQ(seen.gpus[1].uuid, "11bc");
  EXPECT_TRUE(seen_gpus_of(seen_gpus_text({"b", {}})).gpus.empty());
}

}  // namespace
}  // namespace convoy
