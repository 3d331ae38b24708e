#include <gtest/gtest.h>

#include "tests/trainer/train_here.h"

namespace convoy::test {
namespace {

constexpr const char* kJob = "samples = 70\ntest_samples = 20\n[train]\nbatch = 16\nepochs = 2\n";

TEST(NoSurprise, NothingIsAllocatedAfterTheFirstUpdateAndTheArenaIsAsProjected) {
  const JobFolder folder;
  for (const char* network : {kTinyNetwork, kTinyBatchNorm, kTinyHeads, kLeNetWithDropout}) {
    const std::string job = folder.write_job(network, kJob);
    for (const int ranks : {1, 2, 3}) {
      for (const char* set : {"train.micro_batch=0", "train.micro_batch=3", "train.shard_optimizer=true"}) {
        const std::string run = folder.path("run");
        train_here({job, run, ranks, {set}});
        const boost::json::object summary = summary_of(run);
        EXPECT_EQ(summary.at("device_allocations_after_first_step").as_int64(), 0);
        EXPECT_EQ(summary.at("measured_peak_bytes").as_int64(), summary.at("projected_bytes").as_int64());
        const boost::json::object plan = boost::json::parse(read_text(run + "/plan.json")).as_object();
        EXPECT_EQ(plan.at("arena_bytes").as_int64() + plan.at("loader_bytes").as_int64(),
                  summary.at("projected_bytes").as_int64());
        std::filesystem::remove_all(run);
      }
    }
  }
}

TEST(Tight, ALimitOfTheProjectionTrainsAndOneByteLessIsRefused) {
  const JobFolder folder;
  const std::string job = folder.write_job(kLeNetWithDropout, kJob);
  const auto limit = [](std::int64_t bytes) { return "memory.limit=" + std::to_string(bytes); };
  for (const auto& [ranks, sharded] : {std::pair{1, "false"}, {3, "false"}, {3, "true"}}) {
    const std::string sharding = std::string("train.shard_optimizer=") + sharded;
    train_here({job, folder.path("free"), ranks, {sharding}});
    const std::int64_t bytes = summary_of(folder.path("free")).at("projected_bytes").as_int64();
    train_here({job, folder.path("tight"), ranks, {sharding, limit(bytes)}});
    EXPECT_EQ(summary_of(folder.path("tight")).at("measured_peak_bytes").as_int64(), bytes);
    try {
      train_here({job, folder.path("refused"), ranks, {sharding, limit(bytes - 1), "memory.allow=[]"}});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::does_not_fit);
    }
    EXPECT_FALSE(std::filesystem::exists(folder.path("refused") + "/checkpoints"));
    std::filesystem::remove_all(folder.path("free"));
    std::filesystem::remove_all(folder.path("tight"));
  }
}

TEST(WholeEpochs, EachEpochHasEverySampleOnceAndAPartialLastBatch) {
  const JobFolder folder;
  std::string every = kJob;
  every += "[log]\nevery = 1\n";
  const std::string job = folder.write_job(kTinyNetwork, every);
  train_here({job, folder.path("run"), 3});
  const std::vector<double> sizes{16, 16, 16, 16, 6, 16, 16, 16, 16, 6};
  EXPECT_EQ(numbers_of(metrics_of(folder.path("run"), "train"), "samples"), sizes);
  EXPECT_EQ(numbers_of(metrics_of(folder.path("run"), "evaluation"), "samples"),
            (std::vector<double>{20, 20}));
}

TEST(Diverged, IsTheSameErrorOnAllRanksAndSavesNothing) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, kJob);
  for (const int ranks : {1, 3}) {
    try {
      train_here({job,
                  folder.path("run"),
                  ranks,
                  {"optimizer.learning_rate=1e6", "checkpoint.every_iterations=100"}});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::diverged);
    }
    EXPECT_TRUE(checkpoints_of(folder.path("run")).empty());
  }
}

}  // namespace
}  // namespace convoy::test
