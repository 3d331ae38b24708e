#include <gtest/gtest.h>

#include "tests/trainer/train_here.h"
#include "tests/trainer/worker_under_test.h"

// Iterations that are recorded and played, on a device that can do so.
namespace convoy::test {
namespace {

class GpuGraphs : public ::testing::Test {
 protected:
  struct Trained {
    std::vector<double> losses;
    std::vector<std::pair<std::string, std::string>> tensors;
    boost::json::object summary;
  };
  Trained train(const std::string& job, int ranks, std::vector<std::string> sets, bool graphs) {
    const std::string run = folder_.path("run-" + std::to_string(runs_++));
    // Three epochs of five iterations; metrics and checkpoints are asked for between iterations that play on.
    sets.insert(sets.begin(),
                {"data.flip=true", "train.epochs=3", "checkpoint.every_epochs=2", "log.every=2"});
    sets.push_back(std::string("train.cuda_graphs=") + (graphs ? "true" : "false"));
    Here here{job, run, ranks, std::move(sets)};
    here.worker = worker_under_test;
    train_here(here);
    return {losses_of(run), newest_tensors(run), summary_of(run)};
  }
  void expect_same_bits(const std::string& job, int ranks, const std::vector<std::string>& sets) {
    SCOPED_TRACE(testing::Message() << ranks << " ranks " << testing::PrintToString(sets));
    const Trained played = train(job, ranks, sets, true);
    const Trained done = train(job, ranks, sets, false);
    EXPECT_EQ(played.losses, done.losses);
    EXPECT_TRUE(played.tensors == done.tensors);
    EXPECT_EQ(done.summary.at("cuda_graphs"), false);
    if (ranks == 1) {
      EXPECT_EQ(played.summary.at("cuda_graphs"), true);
    }
    EXPECT_EQ(played.summary.at("device_allocations_after_first_step").as_int64(), 0);
  }

  JobFolder folder_;
  int runs_ = 0;
};

TEST_F(GpuGraphs, GiveTheSameBits) {
  for (const char* network : {kTinyHeads, kTinyBatchNorm}) {
    const std::string job = folder_.write_job(network, kGpuJob);
    for (const int ranks : {1, 2, 3}) {
      expect_same_bits(job, ranks, {});
      expect_same_bits(job, ranks, {"train.micro_batch=3", "comm.bucket=\"1KiB\""});
      expect_same_bits(job, ranks, {"train.precision=\"fp16\""});
    }
  }
}

TEST_F(GpuGraphs, GiveTheSameBitsWithWhatRanksShare) {
  const std::string job = folder_.write_job(kTinyBatchNorm, kGpuJob);
  expect_same_bits(job, 3, {"train.shared_statistics=true", "train.micro_batch=3"});
  // Two of three ranks have nothing in the second pass of a batch.
  expect_same_bits(job, 3, {"train.shared_statistics=true", "train.micro_batch=1", "train.batch=4"});
  expect_same_bits(job, 3, {"train.shard_optimizer=true"});
  expect_same_bits(job, 2, {"train.shard_optimizer=true", "train.precision=\"bf16\"", "train.clip_norm=0.5"});
}

// Of the first iterations some are left out: recorded work sees the loss scale fall.
TEST_F(GpuGraphs, GiveTheSameBitsWhereUpdatesAreLeftOutAndClipped) {
  std::string network = kTinyBatchNorm;
  network.replace(network.find("\"softmax_loss\""), 14, "\"softmax_loss\", weight = 200");
  const std::string job = folder_.write_job(network, kGpuJob);
  for (const auto& [ranks, divided] : {std::pair{1, "false"}, {2, "false"}, {3, "true"}}) {
    const std::vector<std::string> sets{"train.precision=\"fp16\"", "train.clip_norm=0.5",
                                        std::string("train.shard_optimizer=") + divided};
    expect_same_bits(job, ranks, sets);
    const boost::json::object summary = train(job, ranks, sets, true).summary;
    EXPECT_GT(summary.at("skipped_updates").as_int64(), 1);
    EXPECT_LT(summary.at("skipped_updates").as_int64(), 10);
  }
}

TEST_F(GpuGraphs, FollowLearningRatesAndDropout) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  std::vector<std::string> sets{"schedule.type=\"cosine\"", "schedule.warmup_epochs=0.5"};
  expect_same_bits(job, 1, sets);
  sets.emplace_back("memory.allow=[\"recompute\"]");
  expect_same_bits(job, 2, sets);
}

}  // namespace
}  // namespace convoy::test
