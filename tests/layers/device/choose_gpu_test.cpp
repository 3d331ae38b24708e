#include "layers/device/cuda/choose_gpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "layers/core/error.h"

namespace convoy {
namespace {

using Places = std::vector<int>;

TEST(ChooseGpu, GivesEachRankOfAHostItsOwn) {
  const SeenGpus a{"a", {"0", "1", "2", "3"}};
  const SeenGpus b{"b", {"0", "1"}};
  EXPECT_EQ(gpus_of_ranks({a, a, a, a}), (Places{0, 1, 2, 3}));
  EXPECT_EQ(gpus_of_ranks({a, b, a, b, a}), (Places{0, 0, 1, 1, 2}));
  EXPECT_EQ(gpus_of_ranks({b, b, b, b, b}), (Places{0, 1, 0, 1, 0})) << "more ranks than GPUs";
  EXPECT_EQ(gpus_of_ranks({SeenGpus{"a", {}}}), (Places{0}));
}

// CUDA_VISIBLE_DEVICES as launchers set it for a rank alone, or for those of a socket, which Slurm deals out
// in turn.
TEST(ChooseGpu, GivesRanksThatSeeDifferentGpusTheirOwn) {
  EXPECT_EQ(gpus_of_ranks({{"a", {"0"}}, {"a", {"1"}}, {"a", {"2"}}}), (Places{0, 0, 0}));
  const SeenGpus first{"a", {"0", "1"}};
  const SeenGpus second{"a", {"2", "3"}};
  EXPECT_EQ(gpus_of_ranks({first, first, second, second}), (Places{0, 1, 0, 1}));
  const std::vector<SeenGpus> in_turn{first, second, first, second};
  std::set<std::string> taken;
  for (std::size_t rank = 0; rank < 4; ++rank)
    taken.insert(in_turn[rank].ids[static_cast<std::size_t>(gpus_of_ranks(in_turn)[rank])]);
  EXPECT_EQ(taken.size(), 4U);
  // The first has to leave its usual one to the second, which sees no other.
  EXPECT_EQ(gpus_of_ranks({{"a", {"0", "1"}}, {"a", {"0"}}}), (Places{1, 0}));
}

TEST(ChooseGpu, TellsOtherRanksWhatItSees) {
  const SeenGpus seen{"node 7", {"0000:17:00 8f3a", "0000:65:00 11bc"}};
  EXPECT_EQ(seen_gpus_of(seen_gpus_text(seen)).host, seen.host);
  EXPECT_EQ(seen_gpus_of(seen_gpus_text(seen)).ids, seen.ids);
  EXPECT_TRUE(seen_gpus_of(seen_gpus_text({"b", {}})).ids.empty());
}

TEST(ChooseGpu, NamesTheRankWithoutAGpu) {
  const std::vector<std::string> claims{"a GPU 0", "a GPU 1", "b GPU 0", "a GPU 1"};
  for (int rank = 0; rank < 4; ++rank) {
    try {
      ranks_on_gpu(claims, rank, false);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_THAT(error.what(), testing::HasSubstr("rank 3 has no GPU of its own: rank 1 has taken a GPU 1"));
    }
  }
  EXPECT_EQ(ranks_on_gpu(claims, 3, true), 2);
  EXPECT_EQ(ranks_on_gpu(claims, 2, true), 1);
  EXPECT_EQ(ranks_on_gpu({"a GPU 0", "b GPU 0"}, 1, false), 1);
}

}  // namespace
}  // namespace convoy
