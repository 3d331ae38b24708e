#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "comm/nccl/nccl.h"
#include "layers/device/cuda/cuda_devices.h"
#include "tests/trainer/train_here.h"
#include "tests/trainer/worker_under_test.h"

// Training over NCCL, with as many ranks as there are GPUs, as threads.
namespace convoy::test {
namespace {

/// Ends the program, with words that ctest takes for a skip, where NCCL cannot run.
class NeedsGpus : public ::testing::Environment {
 public:
  void SetUp() override {
    const std::size_t gpus = list_cuda_devices().devices.size();
    const std::string problem = gpus < 2 ? "here is one" : nccl_problem();
    if (gpus == 0 || problem.empty()) return;  // without any another says so
    std::printf("skipped: NCCL needs two GPUs (%s)\n", problem.c_str());
    std::exit(0);
  }
};

[[maybe_unused]] const ::testing::Environment* const kNeedsGpus =
    ::testing::AddGlobalTestEnvironment(new NeedsGpus);

class GpuNccl : public ::testing::Test {
 protected:
  std::vector<double> losses(const char* network, std::vector<std::string> sets, int ranks = 0) {
    if (ranks == 0) ranks = static_cast<int>(list_cuda_devices().devices.size());
    last_ = folder_.path("run-" + std::to_string(runs_++));
    sets.push_back("device=\"cuda\"");
    train_here({folder_.write_job(network, kGpuJob), last_, ranks, std::move(sets)});
    return losses_of(last_);
  }
  JobFolder folder_;
  std::string last_;
  int runs_ = 0;
};

TEST_F(GpuNccl, LosesAsOneGpuAndAsThroughTheHost) {
  const std::vector<double> alone = losses(kTinyHeads, {}, 1);
  const std::vector<double> nccl = losses(kTinyHeads, {"comm.gradients=\"nccl\"", "comm.bucket=\"1KiB\""});
  EXPECT_THAT(read_text(last_ + "/log/rank-0.log"), ::testing::HasSubstr("bus bandwidth"));
  EXPECT_LT(largest_difference(nccl, alone), 1e-5);
  EXPECT_LT(largest_difference(losses(kTinyHeads, {"comm.gradients=\"host\""}), nccl), 1e-5);
}

TEST_F(GpuNccl, GivesTheSameBitsRecordedAndAgain) {
  for (const char* precision : {"fp32", "bf16"}) {
    const std::string set = std::string("train.precision=\"") + precision + "\"";
    const std::vector<double> played = losses(kTinyBatchNorm, {set});
    EXPECT_EQ(summary_of(last_).at("cuda_graphs"), true);
    EXPECT_EQ(losses(kTinyBatchNorm, {set}), played);
    EXPECT_EQ(losses(kTinyBatchNorm, {set, "train.cuda_graphs=false"}), played);
  }
}

TEST_F(GpuNccl, DividesItsOptimizerAndSharesStatistics) {
  const std::vector<double> whole = losses(kTinyBatchNorm, {});
  EXPECT_LT(largest_difference(losses(kTinyBatchNorm, {"train.shard_optimizer=true"}), whole), 1e-5);
  const std::vector<double> shared = losses(kTinyBatchNorm, {"train.shared_statistics=true"}, 1);
  EXPECT_LT(largest_difference(losses(kTinyBatchNorm, {"train.shared_statistics=true"}), shared), 1e-5);
}

TEST_F(GpuNccl, TakesNoMoreMemoryThanPlanned) {
  losses(kTinyBatchNorm, {"train.shard_optimizer=true"});
  const boost::json::object summary = summary_of(last_);
  EXPECT_EQ(summary.at("device_allocations_after_first_step").as_int64(), 0);
  EXPECT_LE(summary.at("measured_peak_bytes").as_int64(), summary.at("projected_bytes").as_int64());
}

}  // namespace
}  // namespace convoy::test
