// What the search does with several ranks, by the order of memory.allow, and as a last resort.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/sizes/size_backend.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

const PlanAction* find_action(const Plan& plan, const std::string& name) {
  const auto found = std::find_if(plan.actions.begin(), plan.actions.end(),
                                  [&](const PlanAction& one) { return one.name == name; });
  return found == plan.actions.end() ? nullptr : &*found;
}

bool takes(const Plan& plan, const std::string& name) {
  return find_action(plan, name) != nullptr && find_action(plan, name)->taken;
}

std::int64_t saved_by_all(const Plan& plan) {
  std::int64_t saved = 0;
  for (const PlanAction& one : plan.actions) saved += one.saved_bytes;
  return saved;
}

class SearchRanks : public testing::Test {
 protected:
  SearchRanks() {
    request_.samples = 1000;
    request_.batch = 64;
    request_.ranks = 4;
    request_.limit_bytes = std::int64_t{1} << 50;
    request_.may_shard_optimizer = true;
    request_.workspace_bytes = 0;
    // So fast a memory that recompute of cheap layers and giving weights away take no time to speak of.
    request_.speed = {1e11, 1e11, 1e15, 0};
  }

  Plan plan(std::int64_t limit) {
    PlanRequest request = request_;
    request.limit_bytes = limit;
    return search_plan(graph_, request, *backend_, &known_);
  }
  std::int64_t ample() { return plan(request_.limit_bytes).projected_bytes(); }

  Graph graph_ = read_network(CONVOY_SOURCE "/configs/nets/resnet20.toml");
  std::unique_ptr<Backend> backend_ = make_size_backend({"gpu", {DType::f32, DType::f16}});
  Lowerings known_;
  PlanRequest request_;
};

TEST_F(SearchRanks, ShardTheOptimizerWhereTheJobDoesNotFit) {
  const Plan free = plan(request_.limit_bytes);
  EXPECT_EQ(free.program.choices.shards, 1);
  EXPECT_FALSE(takes(free, "shard_optimizer"));
  const Plan less = plan(ample() - 1);
  ASSERT_TRUE(less.fits());
  EXPECT_EQ(less.program.choices.shards, 4);
  EXPECT_TRUE(takes(less, "shard_optimizer"));
  EXPECT_EQ(find_action(less, "shard_optimizer")->reason, "its state over 4 ranks");
  EXPECT_NEAR(find_action(less, "shard_optimizer")->slowdown, 1, 0.1);
  EXPECT_EQ(saved_by_all(less), free.arena_bytes() - less.arena_bytes());
  EXPECT_NEAR(static_cast<double>(saved_by_all(less)), 4.0 * 269'722 * 3 / 4, 30'000);
  EXPECT_TRUE(plan_json(less, graph_).at("shard_optimizer").as_bool());
  EXPECT_THAT(action_lines(less).at(0), testing::HasSubstr("optimizer sharded: its state over 4 ranks"));
}

TEST_F(SearchRanks, DoNotShardWhatIsForbiddenOrHasOneRank) {
  const std::int64_t bytes = ample();
  request_.may_shard_optimizer = false;
  request_.may_shrink = request_.may_recompute = true;
  const Plan refused = plan(1);
  EXPECT_EQ(refused.program.choices.shards, 1);
  try {
    refuse_plan(refused, graph_);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
    EXPECT_THAT(error.what(), testing::HasSubstr("Put \"shard_optimizer\" into memory.allow"));
  }
  request_.may_shrink = request_.may_recompute = false;
  EXPECT_FALSE(plan(bytes - 1).fits());
  EXPECT_EQ(plan(bytes - 1).program.choices.shards, 1);
  request_.may_shard_optimizer = true;
  request_.ranks = 1;
  EXPECT_EQ(find_action(plan(request_.limit_bytes), "shard_optimizer"), nullptr);
  EXPECT_FALSE(plan(ample() - 1).fits());
}

TEST_F(SearchRanks, ShardWithoutNeedWhereItIsAskedFor) {
  request_.shard_optimizer = true;
  const Plan asked = plan(request_.limit_bytes);
  EXPECT_EQ(asked.program.choices.shards, 4);
  EXPECT_EQ(find_action(asked, "shard_optimizer"), nullptr) << "nothing that the planner did";
  request_.may_recompute = true;
  const Plan less = plan(asked.projected_bytes() - 1);
  EXPECT_TRUE(less.fits());
  EXPECT_EQ(less.program.choices.shards, 4);
}

TEST_F(SearchRanks, TakeTheFirstWordOfTheOrderWhereTimesAreAboutEqual) {
  request_.may_recompute = true;
  const std::int64_t bytes = ample();
  request_.order = {"shard_optimizer", "recompute"};
  const Plan sharded = plan(bytes - 1);
  EXPECT_TRUE(takes(sharded, "shard_optimizer"));
  EXPECT_FALSE(takes(sharded, "recompute"));
  request_.order = {"recompute", "shard_optimizer"};
  const Plan again = plan(bytes - 1);
  EXPECT_TRUE(takes(again, "recompute"));
  EXPECT_FALSE(takes(again, "shard_optimizer"));
  // But not where one of them takes longer.
  request_.speed.bytes_per_second = 1e8;
  EXPECT_TRUE(takes(plan(bytes - 1), "shard_optimizer"));
}

TEST_F(SearchRanks, NeverTakeMoreForALowerLimitWhateverTheOrder) {
  request_.may_recompute = request_.may_shrink = request_.may_halve_precision = true;
  request_.statistics_batch = 4;
  const std::int64_t most = ample();
  for (const std::vector<std::string>& order :
       {std::vector<std::string>{},
        {"shard_optimizer", "recompute", "micro_batch", "half_precision"},
        {"half_precision", "micro_batch", "recompute", "shard_optimizer"}}) {
    request_.order = order;
    std::int64_t peak = most;
    bool fitted = true;
    for (int part = 12; part >= 1; --part) {
      const Plan one = plan(most * part / 12);
      EXPECT_LE(one.projected_bytes(), peak) << part;
      EXPECT_FALSE(one.fits() && !fitted) << "fits again at " << part;
      fitted = one.fits();
      peak = one.projected_bytes();
    }
  }
}

TEST_F(SearchRanks, TheSmallestLimitCountsSharding) {
  request_.may_recompute = request_.may_shrink = request_.find_smallest = true;
  const std::int64_t least = plan(request_.limit_bytes).smallest_limit_bytes;
  request_.may_shard_optimizer = false;
  EXPECT_LT(least, plan(request_.limit_bytes).smallest_limit_bytes);
  request_.may_shard_optimizer = true;
  EXPECT_TRUE(plan(least).fits());
  EXPECT_FALSE(plan(least - 1).fits());
}

/// Batch norm's floor is all of a rank's share.
class SearchBatch : public SearchRanks {
 protected:
  SearchBatch() {
    request_.may_shard_optimizer = false;
    request_.may_shrink = true;
    request_.may_shrink_batch = true;
  }
};

TEST_F(SearchBatch, ShrinksToTheLargestThatFits) {
  const Plan free = plan(request_.limit_bytes);
  EXPECT_EQ(free.request.batch, 64);
  EXPECT_EQ(free.learning_rate_factor(), 1);
  EXPECT_EQ(find_action(free, "global_batch")->reason, "not needed");
  const std::int64_t limit = free.projected_bytes() * 7 / 10;
  const Plan less = plan(limit);
  ASSERT_TRUE(less.fits());
  EXPECT_EQ(less.asked_batch, 64);
  EXPECT_LT(less.request.batch, 64);
  EXPECT_EQ(less.request.batch % 4, 0);
  EXPECT_EQ(less.micro_batch, less.request.batch / 4);
  EXPECT_DOUBLE_EQ(less.learning_rate_factor(), static_cast<double>(less.request.batch) / 64);
  EXPECT_EQ(saved_by_all(less), free.arena_bytes() - less.arena_bytes());
  EXPECT_THAT(find_action(less, "global_batch")->reason,
              testing::AllOf(testing::HasSubstr("in place of 64"), testing::HasSubstr("x the learning rate"),
                             testing::HasSubstr("batch norm's statistics are of fewer too")));
  EXPECT_THAT(action_lines(less).at(0), testing::StartsWith("to fit, A SMALLER GLOBAL BATCH, "));
  const boost::json::object json = plan_json(less, graph_);
  EXPECT_EQ(json.at("global_batch"), less.request.batch);
  EXPECT_EQ(json.at("asked_global_batch"), 64);

  PlanRequest more = request_;
  more.may_shrink_batch = false;
  more.batch = less.request.batch + 4;
  more.limit_bytes = limit;
  EXPECT_FALSE(search_plan(graph_, more, *backend_).fits());
}

TEST_F(SearchBatch, ComesAfterEverythingElse) {
  const std::int64_t limit = ample() * 7 / 10;
  for (bool PlanRequest::*other : {&PlanRequest::may_recompute, &PlanRequest::may_halve_precision}) {
    request_.*other = true;
    EXPECT_EQ(plan(limit).request.batch, 64);
    EXPECT_FALSE(takes(plan(limit), "global_batch"));
    request_.*other = false;
  }
  request_.statistics_batch = 4;
  EXPECT_EQ(plan(limit).request.batch, 64);
  EXPECT_LT(plan(limit).micro_batch, 16);
}

TEST_F(SearchBatch, HelpsWhereMicroBatchesAreForbidden) {
  graph_ = read_network(CONVOY_SOURCE "/configs/nets/nin_cifar10.toml");
  known_.clear();
  request_.may_shrink = false;
  const Plan less = plan(ample() * 7 / 10);
  ASSERT_TRUE(less.fits());
  EXPECT_TRUE(takes(less, "global_batch"));
  EXPECT_THAT(find_action(less, "global_batch")->reason, testing::Not(testing::HasSubstr("statistics")));
}

TEST_F(SearchBatch, IsRefusedWhereASampleARankIsTooMuch) {
  const Plan refused = plan(1);
  EXPECT_FALSE(refused.fits());
  EXPECT_EQ(refused.smallest_limit_bytes, refused.projected_bytes());
  EXPECT_TRUE(plan(refused.smallest_limit_bytes).fits());
  EXPECT_FALSE(plan(refused.smallest_limit_bytes - 1).fits());
  request_.find_smallest = true;
  EXPECT_EQ(plan(std::int64_t{1} << 50).smallest_limit_bytes, refused.smallest_limit_bytes);
  request_.ranks = 64;
  EXPECT_EQ(plan(1).request.batch, 64) << "there is a sample for each rank already";
}

TEST_F(SearchBatch, NeverTakesMoreForALowerLimit) {
  request_.may_shard_optimizer = request_.may_recompute = true;
  std::int64_t peak = ample();
  const std::int64_t most = peak;
  bool fitted = true;
  std::int64_t batch = 64;
  for (int part = 20; part >= 1; --part) {
    const Plan one = plan(most * part / 20);
    EXPECT_LE(one.projected_bytes(), peak) << part;
    EXPECT_FALSE(one.fits() && !fitted) << "fits again at " << part;
    if (one.fits()) {
      EXPECT_LE(one.request.batch, batch) << part;
    }
    batch = one.request.batch;
    fitted = one.fits();
    peak = one.projected_bytes();
  }
}

TEST_F(SearchBatch, OfARunThatGoesOnIsKept) {
  request_.kept_batch = 32;
  const Plan kept = plan(request_.limit_bytes);
  EXPECT_EQ(kept.request.batch, 32);
  EXPECT_EQ(kept.asked_batch, 64);
  EXPECT_TRUE(takes(kept, "global_batch"));
  request_.may_shrink_batch = false;
  EXPECT_EQ(plan(request_.limit_bytes).request.batch, 64);
}

}  // namespace
}  // namespace convoy::test
