#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "tests/trainer/train_here.h"
#include "tests/trainer/worker_under_test.h"

// Training through a device whose memory the host cannot reach, with the backend of GPUs: on a GPU, or with
// its kernels as loops on the processor, as this is linked.
namespace convoy::test {
namespace {

constexpr const char* kJob = R"(samples = 70
test_samples = 20
[train]
batch = 16
epochs = 2
[checkpoint]
every_epochs = 0
[log]
every = 1
)";

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
    const std::string job = folder_.write_job(network, kJob);
    EXPECT_LT(largest_difference(losses(job, 1, {}), losses(job, 1, {}, false)), 1e-4) << network;
  }
}

TEST_F(GpuTraining, LosesTheSameForAnyRanksAndMicroBatches) {
  const std::string job = folder_.write_job(kTinyHeads, kJob);
  const std::vector<double> reference = losses(job, 1, {});
  for (const int ranks : {2, 3}) {
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
  const std::string job = folder_.write_job(kTinyHeads, kJob);
  const std::vector<double> reference = losses(job, 1, {"data.mixup=0.4"}, false);
  EXPECT_LT(largest_difference(losses(job, 1, {"data.mixup=0.4"}), reference), 1e-4);
  EXPECT_LT(largest_difference(losses(job, 3, {"data.mixup=0.4", "train.micro_batch=3"}), reference), 1e-4);
  EXPECT_GT(largest_difference(losses(job, 1, {}), reference), 1e-3);
}

TEST_F(GpuTraining, SharesStatisticsOverRanks) {
  const std::string job = folder_.write_job(kTinyBatchNorm, kJob);
  const std::vector<double> reference = losses(job, 1, {"train.shared_statistics=true"});
  EXPECT_LT(largest_difference(losses(job, 3, {"train.shared_statistics=true"}), reference), 1e-5);
  EXPECT_LT(largest_difference(losses(job, 1, {}), reference), 1e-4);
}

TEST_F(GpuTraining, RepeatsItsBits) {
  const std::string job = folder_.write_job(kTinyHeads, kJob);
  EXPECT_EQ(losses(job, 2, {}), losses(job, 2, {}));
  EXPECT_EQ(losses(job, 1, {"train.precision=\"fp16\""}), losses(job, 1, {"train.precision=\"fp16\""}));
}

TEST_F(GpuTraining, TakesNoMoreMemoryThanPlanned) {
  for (const char* network : {kTinyNetwork, kTinyBatchNorm, kTinyHeads}) {
    const std::string job = folder_.write_job(network, kJob);
    for (const char* precision : {"fp32", "fp16"}) {
      losses(job, 2, {std::string("train.precision=\"") + precision + "\"", "train.micro_batch=3"});
      const boost::json::object summary = summary_of(last_);
      EXPECT_EQ(summary.at("device_allocations_after_first_step").as_int64(), 0);
      EXPECT_LE(summary.at("measured_peak_bytes").as_int64(), summary.at("projected_bytes").as_int64());
    }
  }
}

TEST_F(GpuTraining, InHalfPrecisionStaysNearFp32) {
  const std::string job = folder_.write_job(kTinyBatchNorm, kJob);
  const std::vector<double> reference = losses(job, 1, {});
  EXPECT_LT(largest_difference(losses(job, 1, {"train.precision=\"bf16\""}), reference), 5e-2);
  EXPECT_LT(largest_difference(losses(job, 1, {"train.precision=\"fp16\""}), reference), 2e-2);
  EXPECT_EQ(summary_of(last_).at("skipped_updates").as_int64(), 0);
  EXPECT_LT(largest_difference(losses(job, 2, {"train.precision=\"fp16\"", "train.shared_statistics=true"}),
                               reference),
            2e-2);
}

TEST_F(GpuTraining, GoesOnFromACheckpointAsIfItHadNotStopped) {
  const std::string job = folder_.write_job(kTinyHeads, kJob);
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

TEST_F(GpuTraining, LeavesUpdatesOutWhoseGradientsOverflow) {
  const std::string job = folder_.write_job(kTinyNetwork, kJob);
  Here here{job, folder_.path("run"), 2, {"train.precision=\"fp16\""}};
  here.worker = worker_under_test;
  with_sessions(here, [](Session& session) {
    Executor& executor = session.executor();
    executor.set_loss_scale({0x1p30, 5});
    const std::vector<float> before = values_of(executor, "ip.weight");
    take_steps(session, 1, 0.1);
    EXPECT_EQ(executor.skipped_updates(), 1);
    EXPECT_EQ(executor.loss_scale()->state().value, 0x1p29);
    EXPECT_EQ(executor.loss_scale()->state().good_updates, 0);
    EXPECT_EQ(values_of(executor, "ip.weight"), before);
    take_steps(session, 3, 0.1);
    executor.set_loss_scale({1024, 0});
    take_steps(session, 1, 0.1);
    EXPECT_EQ(executor.loss_scale()->state().good_updates, 1);
    EXPECT_NE(values_of(executor, "ip.weight"), before);
  });
}

// What a Program asks of the backend (layouts, changes of type, passes) it must have for every network.
TEST(GpuNetworks, CanBeBoundInEveryPrecision) {
  const char* bundle = std::getenv("CONVOY_TEST_SOURCE");
  const std::string networks = std::string(bundle != nullptr ? bundle : CONVOY_SOURCE) + "/configs/nets";
  const std::unique_ptr<Communicator> comm = make_single();
  int bound = 0;
  for (const auto& file : std::filesystem::directory_iterator(networks)) {
    const Graph graph = read_network(file.path().string());
    if (graph.loss_layer() < 0) continue;
    for (const DType precision : {DType::f32, DType::f16}) {
      SCOPED_TRACE(file.path().string());
      const Worker worker = worker_under_test(*comm);
      PlanRequest request;
      request.samples = request.batch = 4;
      request.micro_batch = 2;  // gradients add up
      request.precision = precision;
      request.limit_bytes = std::int64_t{1} << 40;
      Plan plan = make_plan(graph, request, *worker.backend);
      const auto channels = static_cast<std::size_t>(graph.input().channels);
      const PixelScale scale{std::vector<float>(channels, 128), std::vector<float>(channels, 64)};
      const Executor executor(std::move(plan), graph, *worker.backend, *worker.device, *comm, {}, scale);
      ++bound;
    }
  }
  EXPECT_GT(bound, 20);
}

}  // namespace
}  // namespace convoy::test
