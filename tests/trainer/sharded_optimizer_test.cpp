#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/cpu/cpu_backend.h"
#include "tests/trainer/train_here.h"

namespace convoy::test {
namespace {

/// Twenty updates: 2 epochs of 10 batches. The last batch of an epoch has 2 samples, so that of 3 or 4 ranks
/// some have none.
constexpr const char* kTwentyShortSteps = R"(samples = 146
test_samples = 12
flip = true
[train]
batch = 16
epochs = 2
[checkpoint]
keep = 1
[log]
every = 1
)";

using Tensors = std::vector<std::pair<std::string, std::string>>;

class ShardedOptimizer : public ::testing::Test {
 protected:
  struct Trained {
    std::vector<double> losses;
    Tensors tensors;
    boost::json::object summary;
  };

  void use(const char* network) { job_ = folder_.write_job(network, kTwentyShortSteps); }

  Trained train(int ranks, bool sharded, std::vector<std::string> sets = {}) {
    const std::string run = folder_.path("run-" + std::to_string(runs_++));
    sets.push_back(std::string("train.shard_optimizer=") + (sharded ? "true" : "false"));
    train_here({job_, run, ranks, std::move(sets)});
    return {losses_of(run), newest_tensors(run), summary_of(run)};
  }

  void expect_same_bits(int ranks, const std::vector<std::string>& sets) {
    const Trained whole = train(ranks, false, sets);
    const Trained sharded = train(ranks, true, sets);
    ASSERT_EQ(whole.losses.size(), 20U);
    EXPECT_EQ(sharded.losses, whole.losses) << ranks << " ranks " << ::testing::PrintToString(sets);
    EXPECT_TRUE(sharded.tensors == whole.tensors) << ranks << " ranks " << ::testing::PrintToString(sets);
    EXPECT_EQ(sharded.summary.at("device_allocations_after_first_step").as_int64(), 0);
    EXPECT_EQ(sharded.summary.at("shard_optimizer").as_bool(), ranks > 1);
    const auto bytes = [](const Trained& one) { return one.summary.at("projected_bytes").as_int64(); };
    if (ranks == 1) {
      EXPECT_EQ(bytes(sharded), bytes(whole));
    }
  }

  JobFolder folder_;
  std::string job_;
  int runs_ = 0;
};

TEST_F(ShardedOptimizer, GivesTheSameBitsForLeNetWithDropout) {
  use(kLeNetWithDropout);
  for (const int ranks : {1, 2, 3, 4}) expect_same_bits(ranks, {});
}

TEST_F(ShardedOptimizer, GivesTheSameBitsForBatchNorm) {
  use(kTinyBatchNorm);
  for (const int ranks : {1, 2, 3, 4}) expect_same_bits(ranks, {"optimizer.nesterov=true"});
  expect_same_bits(3, {"train.shared_statistics=true", "train.micro_batch=4"});
}

TEST_F(ShardedOptimizer, GivesTheSameBitsForMicroBatchesThatDivideNothing) {
  for (const char* network : {kTinyNetwork, kTinyBatchNorm, kTinyHeads}) {
    use(network);
    for (const int ranks : {2, 3, 4}) expect_same_bits(ranks, {"train.micro_batch=3"});
  }
}

TEST_F(ShardedOptimizer, GivesTheSameBitsForAnyBucketAndWithoutMomentum) {
  use(kLeNetWithDropout);
  expect_same_bits(3, {"comm.bucket=\"1KiB\""});
  expect_same_bits(3, {"comm.bucket=\"1GiB\""});
  expect_same_bits(2, {"optimizer.momentum=0"});
}

TEST_F(ShardedOptimizer, GivesTheSameBitsInHalfPrecision) {
  if (!make_cpu_backend()->supports(DType::bf16)) GTEST_SKIP() << "no bf16 kernels here";
  for (const char* network : {kLeNetWithDropout, kTinyBatchNorm}) {
    use(network);
    for (const int ranks : {1, 2, 3, 4})
      expect_same_bits(ranks, {"train.precision=\"bf16\"", ranks == 3 ? "train.micro_batch=4" : "seed=1"});
  }
}

TEST_F(ShardedOptimizer, ClipsByTheNormOverAllSlices) {
  use(kTinyNetwork);
  const auto norms = [&](int ranks, bool sharded) {
    const std::string run = folder_.path("run-" + std::to_string(runs_));
    const Trained trained = train(ranks, sharded, {"train.clip_norm=0.05"});
    EXPECT_EQ(trained.losses.size(), 20U);
    std::vector<double> both = numbers_of(metrics_of(run, "train"), "gradient_norm");
    both.insert(both.end(), trained.losses.begin(), trained.losses.end());
    return both;
  };
  const std::vector<double> whole = norms(1, false);
  EXPECT_GT(whole.front(), 0.05);
  for (const int ranks : {2, 3, 4}) {
    EXPECT_LT(largest_difference(norms(ranks, true), norms(ranks, false)), 1e-5) << ranks;
    EXPECT_LT(largest_difference(norms(ranks, true), whole), 1e-4) << ranks;
  }
}

TEST_F(ShardedOptimizer, ShrinksMomentumAndMasterWeightsByTheNumberOfRanks) {
  use(kLeNetWithDropout);
  const auto ledger = [&](int ranks, bool sharded, const std::string& precision) {
    const std::string run = folder_.path("run-" + std::to_string(runs_));
    train(ranks, sharded, {"train.precision=\"" + precision + "\"", "train.iterations=1"});
    return boost::json::parse(read_text(run + "/plan.json")).as_object().at("ledger").as_object();
  };
  const auto bytes = [](const boost::json::object& of, const char* key) {
    return static_cast<double>(of.at(key).as_int64());
  };
  const boost::json::object whole = ledger(4, false, "fp32");
  const boost::json::object sharded = ledger(4, true, "fp32");
  EXPECT_NEAR(bytes(sharded, "weights"), bytes(whole, "weights"), 4096) << "but for padding";
  EXPECT_NEAR(bytes(sharded, "optimizer_state"), bytes(whole, "optimizer_state") / 4, 4096);
  if (!make_cpu_backend()->supports(DType::bf16)) return;
  const boost::json::object half = ledger(4, true, "bf16");
  EXPECT_NEAR(bytes(half, "master_weights"), bytes(whole, "weights") / 4, 8192);
  EXPECT_NEAR(bytes(half, "optimizer_state"), bytes(whole, "optimizer_state") / 4, 8192);
}

TEST_F(ShardedOptimizer, IsTakenWhereMemoryIsShortAndGivesTheSameBits) {
  use(kLeNetWithDropout);
  const Trained whole = train(3, false);
  const std::int64_t bytes = whole.summary.at("projected_bytes").as_int64();
  const Trained less =
      train(3, false, {"memory.limit=" + std::to_string(bytes - 1), "memory.allow=[\"shard_optimizer\"]"});
  EXPECT_EQ(less.summary.at("shard_optimizer"), true);
  EXPECT_LT(less.summary.at("measured_peak_bytes").as_int64(), bytes - 1'000'000);
  EXPECT_EQ(less.losses, whole.losses);
  EXPECT_TRUE(less.tensors == whole.tensors);
}

/// Part of a run with one number of ranks, the rest with another, either with its optimizer sharded or not.
class ShardedResume : public ShardedOptimizer {
 protected:
  struct Leg {
    int ranks;
    bool sharded;
  };
  Tensors tensors_of(Leg first, Leg second, const std::string& precision) {
    const std::string run = folder_.path("run-" + std::to_string(runs_++));
    const auto go = [&](Leg leg, const char* iterations) {
      train_here({job_,
                  run,
                  leg.ranks,
                  {std::string("train.iterations=") + iterations, "train.precision=\"" + precision + "\"",
                   std::string("train.shard_optimizer=") + (leg.sharded ? "true" : "false")}});
    };
    go(first, "7");
    go(second, "13");
    EXPECT_EQ(losses_of(run).size(), 13U);
    return newest_tensors(run);
  }
  void expect_no_difference(const std::string& precision) {
    for (const auto& [first, second] : {std::pair{2, 3}, {3, 2}, {1, 4}, {4, 1}, {2, 2}}) {
      const Tensors whole = tensors_of({first, false}, {second, false}, precision);
      EXPECT_TRUE(tensors_of({first, true}, {second, false}, precision) == whole) << first << second;
      EXPECT_TRUE(tensors_of({first, false}, {second, true}, precision) == whole) << first << second;
      EXPECT_TRUE(tensors_of({first, true}, {second, true}, precision) == whole) << first << second;
    }
  }
};

TEST_F(ShardedResume, CheckpointsDoNotDependOnShardsOrRanks) {
  use(kTinyBatchNorm);
  expect_no_difference("fp32");
}

TEST_F(ShardedResume, CheckpointsDoNotDependOnShardsOrRanksInHalfPrecision) {
  if (!make_cpu_backend()->supports(DType::bf16)) GTEST_SKIP() << "no bf16 kernels here";
  use(kTinyBatchNorm);
  expect_no_difference("bf16");
}

TEST_F(ShardedOptimizer, ReadsAndWritesParametersOnAllRanksTogether) {
  use(kLeNetWithDropout);
  for (const char* precision : {"fp32", "bf16"}) {
    if (precision[0] == 'b' && !make_cpu_backend()->supports(DType::bf16)) continue;
    with_sessions({job_, "", 3, {"train.shard_optimizer=true", std::string("train.precision=") + precision}},
                  [&](Session& session) {
                    Executor& executor = session.executor();
                    for (const auto buffer : {Executor::Buffer::weights, Executor::Buffer::momentum}) {
                      float next = 0.5F;
                      std::vector<std::vector<float>> given;
                      for (const ParameterSlot& slot : session.plan().program.parameters) {
                        std::vector<float> values = executor.get(buffer, slot);
                        for (float& value : values) value = next += 1;
                        executor.set(buffer, slot, values);
                        given.push_back(std::move(values));
                      }
                      std::size_t i = 0;
                      for (const ParameterSlot& slot : session.plan().program.parameters)
                        EXPECT_EQ(executor.get(buffer, slot), given[i++]) << precision;
                    }
                  });
  }
}

}  // namespace
}  // namespace convoy::test
