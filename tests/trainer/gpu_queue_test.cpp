#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "layers/core/clock.h"
#include "tests/layers/device/cuda/fake_cuda.h"
#include "tests/trainer/fake_gpu_worker.h"
#include "tests/trainer/train_here.h"
#include "tests/trainer/worker_under_test.h"
#include "trainer/data/loader.h"
#include "trainer/passes.h"

// What the host does while ranks train over NCCL: it puts work into queues, and waits for nothing.
namespace convoy::test {
namespace {

constexpr int kWarmUp = 3;
constexpr int kSteps = 8;

struct Counted {
  std::int64_t waits = 0;   ///< of the host, for its device
  std::int64_t played = 0;  ///< graphs
};

/// Counts over some steps of all ranks together, after those in which libraries and recordings are made.
Counted count(const std::string& job, int ranks, std::vector<std::string> sets) {
  sets.emplace_back("data.samples=64");  // every batch is a whole one
  Counted counted;
  Here here{job, "", ranks, std::move(sets)};
  here.worker = [](Communicator& comm) { return fake_gpu_worker(comm, true); };
  with_sessions(here, [&](Session& session) {
    Executor& executor = session.executor();
    LoaderOptions options;
    options.batch = session.job().train.batch;
    options.rank = session.comm().rank();
    options.ranks = session.comm().size();
    options.epochs = 4;
    Loader loader(session.inputs().train, session.graph().input(), options);
    Counted before;
    for (int i = 0; i < kWarmUp + kSteps; ++i) {
      if (i == kWarmUp) {
        executor.synchronize();
        session.comm().barrier("start of counting");
        before = {fake_cuda::waits_of_host(), fake_cuda::launched_graphs()};
        session.comm().barrier("counting");
      }
      const Batch* batch = loader.next();
      StepContext context;
      context.iteration = i;
      context.sample_weight = 1 / static_cast<float>(batch->global_samples);
      context.learning_rate = 0.01F;
      context.keeps_metrics = true;
      run_passes(executor, *batch, context);
      executor.update(context);
      // So that the device keeps up: the host waits for it only where it needs what it has computed.
      std::this_thread::sleep_for(std::chrono::milliseconds(60));
    }
    session.comm().barrier("end of counting");
    if (session.comm().rank() == 0)
      counted = {fake_cuda::waits_of_host() - before.waits, fake_cuda::launched_graphs() - before.played};
    session.comm().barrier("counted");
  });
  return counted;
}

class GpuQueue : public ::testing::Test {
 protected:
  JobFolder folder_;
};

TEST_F(GpuQueue, IsNeverWaitedForWithinSteps) {
  const std::string job = folder_.write_job(kTinyBatchNorm, kGpuJob);
  for (const char* graphs : {"true", "false"}) {
    for (const char* divided : {"true", "false"}) {
      const Counted counted =
          count(job, 2,
                {std::string("train.cuda_graphs=") + graphs, std::string("train.shard_optimizer=") + divided,
                 "train.shared_statistics=true", "comm.bucket=\"1KiB\""});
      EXPECT_EQ(counted.waits, 0) << graphs << divided;
    }
  }
}

TEST_F(GpuQueue, IsNotWaitedForByLossScaleAndClipping) {
  const std::string job = folder_.write_job(kTinyBatchNorm, kGpuJob);
  for (const char* graphs : {"true", "false"}) {
    for (const auto& [ranks, divided] : {std::pair{1, "false"}, {2, "false"}, {2, "true"}}) {
      const Counted counted =
          count(job, ranks,
                {std::string("train.cuda_graphs=") + graphs, std::string("train.shard_optimizer=") + divided,
                 "train.precision=\"fp16\"", "train.clip_norm=0.5", "comm.bucket=\"1KiB\""});
      EXPECT_EQ(counted.waits, 0) << graphs << ", " << ranks << " ranks, " << divided;
      EXPECT_EQ(counted.played, std::string(graphs) == "true" ? 2 * ranks * kSteps : 0);
    }
  }
}

TEST_F(GpuQueue, GetsTwoRecordingsAStepFromEachRank) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  EXPECT_EQ(count(job, 1, {}).played, 2 * kSteps);
  EXPECT_EQ(count(job, 3, {}).played, 3 * 2 * kSteps);
  EXPECT_EQ(count(job, 2, {"train.micro_batch=3"}).played, 2 * 4 * kSteps);  // three passes and the update
  EXPECT_EQ(count(job, 2, {"train.cuda_graphs=false"}).played, 0);
}

}  // namespace
}  // namespace convoy::test
