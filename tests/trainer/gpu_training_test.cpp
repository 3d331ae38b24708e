#include <gtest/gtest.h>

#include "tests/trainer/train_here.h"
#include "tests/trainer/worker_under_test.h"

// Training through a device whose memory the host cannot reach, with the backend of GPUs: on a GPU, or with
// its kernels as loops on the processor, as this is linked.
namespace convoy::test {
namespace {

class GpuTraining : public ::testing::Test {
 protected:
  std::vector<double> losses(const std::string& job, int ranks, const std::vector<std::string>& sets,
                             bool gpu = true) {
    last_ = folder_.path("run-" + std::to_string(runs_++));
    Here here{job, last_, ranks, sets};
    if (gpu) here.worker = worker_under_test;
    train_here(here);
    return losses_of(last_);
  }

  JobFolder folder_;
  std::string last_;  ///< run folder
  int runs_ = 0;
};

TEST_F(GpuTraining, LosesAsTheProcessorDoes) {
  for (const char* network : {kTinyNetwork, kTinyBatchNorm, kTinyHeads}) {
    const std::string job = folder_.write_job(network, kGpuJob);
    EXPECT_LT(largest_difference(losses(job, 1, {}), losses(job, 1, {}, false)), 1e-4) << network;
  }
}

TEST_F(GpuTraining, LosesTheSameForAnyRanksAndMicroBatches) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  const std::vector<double> reference = losses(job, 1, {});
  for (const int ranks : {2, 3, 4}) {
    EXPECT_LT(largest_difference(losses(job, ranks, {}), reference), 1e-5) << ranks;
    EXPECT_LT(
        largest_difference(losses(job, ranks, {"train.micro_batch=3", "comm.bucket=\"1KiB\""}), reference),
        1e-5)
        << ranks;
  }
  EXPECT_LT(largest_difference(losses(job, 1, {"train.micro_batch=5"}), reference), 1e-5);
  EXPECT_LT(largest_difference(losses(job, 1, {"train.clip_norm=1e9"}), reference), 1e-5);
}

TEST_F(GpuTraining, TrainsOnMixedSamplesAsTheProcessorDoes) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  const std::vector<double> reference = losses(job, 1, {"data.mixup=0.4"}, false);
  EXPECT_LT(largest_difference(losses(job, 1, {"data.mixup=0.4"}), reference), 1e-4);
  EXPECT_LT(largest_difference(losses(job, 3, {"data.mixup=0.4", "train.micro_batch=3"}), reference), 1e-4);
  EXPECT_GT(largest_difference(losses(job, 1, {}), reference), 1e-3);
}

TEST_F(GpuTraining, SharesStatisticsOverRanks) {
  const std::string job = folder_.write_job(kTinyBatchNorm, kGpuJob);
  const std::vector<double> reference = losses(job, 1, {"train.shared_statistics=true"});
  EXPECT_LT(largest_difference(losses(job, 3, {"train.shared_statistics=true"}), reference), 1e-5);
  EXPECT_LT(largest_difference(losses(job, 1, {}), reference), 1e-4);
}

TEST_F(GpuTraining, RepeatsItsBits) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  EXPECT_EQ(losses(job, 2, {}), losses(job, 2, {}));
  EXPECT_EQ(losses(job, 1, {"train.precision=\"fp16\""}), losses(job, 1, {"train.precision=\"fp16\""}));
}

TEST_F(GpuTraining, TakesNoMoreMemoryThanPlanned) {
  for (const char* network : {kTinyNetwork, kTinyBatchNorm, kTinyHeads}) {
    const std::string job = folder_.write_job(network, kGpuJob);
    for (const char* precision : {"fp32", "fp16"}) {
      losses(job, 2, {std::string("train.precision=\"") + precision + "\"", "train.micro_batch=3"});
      const boost::json::object summary = summary_of(last_);
      EXPECT_EQ(summary.at("device_allocations_after_first_step").as_int64(), 0);
      EXPECT_LE(summary.at("measured_peak_bytes").as_int64(), summary.at("projected_bytes").as_int64());
    }
  }
}

TEST_F(GpuTraining, InHalfPrecisionStaysNearFp32) {
  const std::string job = folder_.write_job(kTinyBatchNorm, kGpuJob);
  const std::vector<double> reference = losses(job, 1, {});
  EXPECT_LT(largest_difference(losses(job, 1, {"train.precision=\"bf16\""}), reference), 5e-2);
  EXPECT_LT(largest_difference(losses(job, 1, {"train.precision=\"fp16\""}), reference), 2e-2);
  EXPECT_EQ(summary_of(last_).at("skipped_updates").as_int64(), 0);
  EXPECT_LT(largest_difference(losses(job, 2, {"train.precision=\"fp16\"", "train.shared_statistics=true"}),
                               reference),
            2e-2);
}

TEST_F(GpuTraining, GoesOnFromACheckpointAsIfItHadNotStopped) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  for (const char* precision : {"fp32", "fp16"}) {
    const std::vector<std::string> sets{std::string("train.precision=\"") + precision + "\""};
    losses(job, 2, sets);
    const auto whole = newest_tensors(last_);
    std::vector<std::string> half = sets;
    half.push_back("train.iterations=4");
    losses(job, 2, half);
    Here rest{job, last_, 2, sets};
    rest.worker = worker_under_test;
    train_here(rest);
    EXPECT_EQ(newest_tensors(last_), whole) << precision;
  }
}

TEST_F(GpuTraining, DividesItsOptimizerAmongRanksWithTheSameBits) {
  for (const char* network : {kTinyHeads, kTinyBatchNorm}) {
    const std::string job = folder_.write_job(network, kGpuJob);
    for (const char* precision : {"fp32", "fp16", "bf16"}) {
      for (const int ranks : {2, 3}) {
        SCOPED_TRACE(testing::Message() << precision << ", " << ranks << " ranks");
        const std::vector<std::string> sets{std::string("train.precision=\"") + precision + "\"",
                                            "comm.bucket=\"1KiB\""};
        const std::vector<double> whole = losses(job, ranks, sets);
        const auto tensors = newest_tensors(last_);
        std::vector<std::string> divided = sets;
        divided.push_back("train.shard_optimizer=true");
        EXPECT_EQ(losses(job, ranks, divided), whole);
        EXPECT_EQ(newest_tensors(last_), tensors);
        const boost::json::object summary = summary_of(last_);
        EXPECT_EQ(summary.at("shard_optimizer"), true);
        EXPECT_EQ(summary.at("device_allocations_after_first_step").as_int64(), 0);
        EXPECT_LE(summary.at("measured_peak_bytes").as_int64(), summary.at("projected_bytes").as_int64());
      }
    }
  }
}

TEST_F(GpuTraining, GoesOnWithItsOptimizerDividedOrNot) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  for (const char* precision : {"fp32", "fp16"}) {
    const std::vector<std::string> sets{std::string("train.precision=\"") + precision + "\""};
    losses(job, 3, sets);
    const auto whole = newest_tensors(last_);
    for (const bool first : {true, false}) {
      std::vector<std::string> half = sets;
      half.push_back("train.iterations=4");
      half.push_back(std::string("train.shard_optimizer=") + (first ? "true" : "false"));
      losses(job, 3, half);
      std::vector<std::string> other = sets;
      other.push_back(std::string("train.shard_optimizer=") + (first ? "false" : "true"));
      Here rest{job, last_, 3, other};
      rest.worker = worker_under_test;
      train_here(rest);
      EXPECT_EQ(newest_tensors(last_), whole) << precision << first;
    }
  }
}

TEST_F(GpuTraining, ClipsAlikeWithADividedOptimizer) {
  const std::string job = folder_.write_job(kTinyNetwork, kGpuJob);
  for (const char* precision : {"fp32", "fp16", "bf16"}) {
    std::vector<std::string> sets{"train.clip_norm=0.05",
                                  std::string("train.precision=\"") + precision + "\""};
    const std::vector<double> whole = losses(job, 2, sets);
    sets.push_back("train.shard_optimizer=true");
    EXPECT_LT(largest_difference(losses(job, 2, sets), whole), 1e-5) << precision;
  }
}

TEST_F(GpuTraining, AsksForItsLossOnlyWhenItIsDue) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  const std::vector<double> each = losses(job, 2, {});
  const std::vector<double> every_third = losses(job, 2, {"log.every=3"});
  // 5 iterations an epoch, of 16, 16, 16, 16 and 6 samples.
  ASSERT_EQ(each.size(), 10U);
  ASSERT_EQ(every_third.size(), 5U);  // after 3, 5 (the epoch's last), 6, 9 and 10
  EXPECT_NEAR(every_third[0], (each[0] + each[1] + each[2]) / 3, 1e-9);
  EXPECT_NEAR(every_third[1], (each[3] * 16 + each[4] * 6) / 22, 1e-9);
  EXPECT_NEAR(every_third[2], each[5], 1e-9);
}

TEST_F(GpuTraining, TrainsOnEveryRankAlikeWhereSomeHaveNoSamples) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  const std::vector<std::string> sets{"data.samples=33"};  // the last batch has one
  EXPECT_LT(largest_difference(losses(job, 3, sets), losses(job, 1, sets)), 1e-5);
}

}  // namespace
}  // namespace convoy::test
