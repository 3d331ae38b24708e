#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/train_here.h"

namespace convoy::test {
namespace {

/// 20 updates of LeNet with dropout: 2 epochs of 10 batches. The last batch of an epoch has 2 samples, so that of 3
/// or 4 ranks some have none.
constexpr const char* kTwentySteps = R"(samples = 290
test_samples = 10
flip = true
crop_padding = 2
[train]
batch = 32
epochs = 2
[schedule]
type = "cosine"
[checkpoint]
every_epochs = 0
[log]
every = 1
)";

class SameMathematics : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new JobFolder;
    job_ = folder_->write_job(kLeNetWithDropout, kTwentySteps);
    train_here({job_, folder_->path("reference")});
    reference_ = losses_of(folder_->path("reference"));
  }
  static void TearDownTestSuite() { delete folder_; }

  static double difference(int ranks, const std::vector<std::string>& sets) {
    const std::string run = folder_->path("run-" + std::to_string(runs_++));
    train_here({job_, run, ranks, sets});
    return largest_difference(losses_of(run), reference_);
  }

  static JobFolder* folder_;
  static std::string job_;
  static std::vector<double> reference_;
  static int runs_;
};

JobFolder* SameMathematics::folder_ = nullptr;
std::string SameMathematics::job_;
std::vector<double> SameMathematics::reference_;
int SameMathematics::runs_ = 0;

TEST_F(SameMathematics, ReferenceLearnsSomething) {
  ASSERT_EQ(reference_.size(), 20U);
  EXPECT_NEAR(reference_[0], 2.3, 0.6);
  EXPECT_LT(reference_[18], 0.95 * reference_[0]);
}

TEST_F(SameMathematics, HoldsForAnyNumberOfRanks) {
  for (const int ranks : {2, 3, 4}) EXPECT_LT(difference(ranks, {}), 1e-5) << ranks;
}

TEST_F(SameMathematics, HoldsForAnyMicroBatch) {
  for (const char* size : {"32", "16", "7", "1"}) {
    EXPECT_LT(difference(1, {std::string("train.micro_batch=") + size}), 1e-5) << size;
  }
}

TEST_F(SameMathematics, HoldsForMicroBatchesOnSeveralRanks) {
  EXPECT_LT(difference(2, {"train.micro_batch=16"}), 1e-5);
  EXPECT_LT(difference(3, {"train.micro_batch=4"}), 1e-5);
  EXPECT_LT(difference(4, {"train.micro_batch=3"}), 1e-5);
}

TEST_F(SameMathematics, HoldsForAnyBucketSize) {
  for (const char* bucket : {"1KiB", "64KiB", "1GiB"}) {
    EXPECT_LT(difference(2, {std::string("comm.bucket=\"") + bucket + "\""}), 1e-5) << bucket;
  }
}

TEST_F(SameMathematics, HoldsForAnyNumberOfThreads) {
  EXPECT_LT(difference(1, {"threads=1", "data.loader_threads=3"}), 1e-5);
  EXPECT_LT(difference(2, {"threads=2", "data.ahead=1"}), 1e-5);
}

TEST_F(SameMathematics, IsBitEqualWhenRepeated) {
  EXPECT_EQ(difference(1, {}), 0);
  const std::string first = folder_->path("first");
  train_here({job_, first, 3});
  const std::string second = folder_->path("second");
  train_here({job_, second, 3, {"comm.bucket=\"2KiB\""}});
  EXPECT_THAT(losses_of(second), ::testing::ElementsAreArray(losses_of(first)));
}

TEST_F(SameMathematics, DependsOnTheSeed) { EXPECT_GT(difference(1, {"seed=2"}), 1e-3); }

}  // namespace
}  // namespace convoy::test
