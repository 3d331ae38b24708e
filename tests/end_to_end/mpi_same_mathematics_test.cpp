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
  ASSERT_EQ(train(0, path("alone")).code, 0);
  const std::vector<double> reference = losses_of(path("alone"));
  ASSERT_EQ(reference.size(), 20U);
  for (const int ranks : {1, 2, 3, 4}) {
    const std::string run = path("run" + std::to_string(ranks));
    const Ended ended = train(ranks, run, ranks == 2 ? std::vector<std::string>{"train.micro_batch=7"} : std::vector<std::string>{});
    ASSERT_EQ(ended.code, 0) << ended.all();
    EXPECT_LT(largest_difference(losses_of(run), reference), 1e-5) << ranks;
    EXPECT_EQ(summary_of(run).at("ranks"), ranks);
    EXPECT_EQ(summary_of(run).at("device_allocations_after_first_step"), 0);
  }
}

TEST_F(MpiSameMathematics, IsBitEqualForAnyBucketSize) {
  ASSERT_EQ(train(3, path("mpi")).code, 0);
  ASSERT_EQ(train(3, path("again"), {"comm.bucket=\"1KiB\""}).code, 0);
  EXPECT_EQ(losses_of(path("mpi")), losses_of(path("again")));
  EXPECT_EQ(newest_tensors(path("mpi")), newest_tensors(path("again")));
}

}  // namespace
}  // namespace convoy::test
