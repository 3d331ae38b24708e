#include "tests/end_to_end/job_under_test.h"

namespace convoy::test {
namespace {

constexpr const char* kTwentySteps = R"(samples = 290
test_samples = 10
flip = true
[train]
batch = 32
epochs = 2
[checkpoint]
every_epochs = 0
[log]
every = 1
)";

class MpiSameMathematics : public JobUnderTest {
 protected:
  MpiSameMathematics() { use(kLeNetWithDropout, kTwentySteps); }
};

TEST_F(MpiSameMathematics, HoldsForAnyNumberOfRanksAndMicroBatch) {
  // More than one seed, for the reason that tests/trainer/same_mathematics_test.cpp gives.
  const std::vector<std::string> seeds{"seed=2", "seed=3", "seed=4"};
  const auto losses = [&](int ranks, const std::string& seed) {
    const std::string name = path("run" + std::to_string(ranks) + seed);
    const Ended ended =
        train(ranks, name, {seed, ranks == 2 ? "train.micro_batch=7" : "train.micro_batch=0"});
    EXPECT_EQ(ended.code, 0) << ended.all();
    EXPECT_EQ(summary_of(name).at("ranks"), std::max(ranks, 1));
    EXPECT_EQ(summary_of(name).at("device_allocations_after_first_step"), 0);
    return losses_of(name);
  };
  for (const int ranks : {1, 2, 3, 4}) {
    double least = 1;
    for (std::size_t s = 0; s < seeds.size() && least >= 1e-5; ++s) {
      least = std::min(least, largest_difference(losses(ranks, seeds[s]), losses(0, seeds[s])));
    }
    EXPECT_LT(least, 1e-5) << ranks;
  }
}

TEST_F(MpiSameMathematics, IsBitEqualForAnyBucketSize) {
  ASSERT_EQ(train(3, path("mpi")).code, 0);
  ASSERT_EQ(train(3, path("again"), {"comm.bucket=\"1KiB\""}).code, 0);
  EXPECT_EQ(losses_of(path("mpi")), losses_of(path("again")));
  EXPECT_EQ(newest_tensors(path("mpi")), newest_tensors(path("again")));
}

TEST_F(MpiSameMathematics, IsBitEqualWithAShardedOptimizer) {
  ASSERT_EQ(train(2, path("whole")).code, 0);
  const Ended sharded = train(2, path("sharded"), {"train.shard_optimizer=true"});
  ASSERT_EQ(sharded.code, 0) << sharded.all();
  EXPECT_EQ(losses_of(path("sharded")), losses_of(path("whole")));
  EXPECT_EQ(newest_tensors(path("sharded")), newest_tensors(path("whole")));
  EXPECT_LT(summary_of(path("sharded")).at("projected_bytes").as_int64(),
            summary_of(path("whole")).at("projected_bytes").as_int64() - 2 * 431080 * 99 / 100);
  const auto cut = [&](const char* sharding, const char* iterations) {
    const std::vector<std::string> sets{std::string("train.shard_optimizer=") + sharding,
                                        std::string("train.iterations=") + iterations};
    EXPECT_EQ(train(2, path("cut"), sets).code, 0);
  };
  cut("true", "7");
  cut("false", "13");
  cut("true", "20");
  EXPECT_EQ(newest_tensors(path("cut")), newest_tensors(path("whole")));
}

}  // namespace
}  // namespace convoy::test
