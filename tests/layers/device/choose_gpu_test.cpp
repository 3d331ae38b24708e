#include "layers/device/cuda/choose_gpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/core/error.h"

namespace convoy {
namespace {

TEST(ChooseGpu, GivesEachRankOfAHostItsOwn) {
  for (int rank = 0; rank < 4; ++rank) EXPECT_EQ(gpu_of_rank(4, rank), rank);
  EXPECT_EQ(gpu_of_rank(2, 3), 1);
  EXPECT_EQ(gpu_of_rank(1, 3), 0);  // a launcher that shows each rank its own
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
