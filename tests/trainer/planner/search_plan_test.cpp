#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/core/bytes.h"
#include "layers/cpu/cpu_backend.h"
#include "trainer/planner/inference_plan.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

class SearchPlan : public testing::TestWithParam<std::string> {
 protected:
  SearchPlan() {
    request_.samples = 1000;
    request_.batch = 64;
    request_.may_shrink = true;
    request_.may_recompute = true;
    request_.update_in_backward = true;
    request_.limit_bytes = std::int64_t{1} << 50;
  }

  Plan plan(std::int64_t limit) {
    PlanRequest request = request_;
    request.limit_bytes = limit;
    return search_plan(graph_, request, *backend_);
  }

  Graph graph_ = read_network(CONVOY_SOURCE "/configs/nets/" + GetParam() + ".toml");
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  PlanRequest request_;
};

TEST_P(SearchPlan, ChangesNothingWithoutNeed) {
  const Plan ample = plan(request_.limit_bytes);
  EXPECT_EQ(ample.micro_batch, 64);
  EXPECT_TRUE(ample.program.choices.recompute.empty());
  EXPECT_TRUE(action_lines(ample).empty());
  EXPECT_EQ(plan(ample.arena_bytes()).arena_bytes(), ample.arena_bytes());
}

TEST_P(SearchPlan, OneByteLessGivesAnotherPlanThatFits) {
  const std::int64_t bytes = plan(request_.limit_bytes).arena_bytes();
  const Plan less = plan(bytes - 1);
  ASSERT_TRUE(less.fits());
  EXPECT_FALSE(action_lines(less).empty());
  std::int64_t saved = 0;
  for (const PlanAction& action : less.actions) saved += action.saved_bytes;
  EXPECT_EQ(saved, bytes - less.arena_bytes());
}

TEST_P(SearchPlan, ALowerLimitNeverGivesAHigherPeak) {
  const std::int64_t ample = plan(request_.limit_bytes).arena_bytes();
  std::int64_t peak = ample;
  bool fitted = true;
  for (int tenth = 10; tenth >= 1; --tenth) {
    const Plan one = plan(ample * tenth / 10);
    EXPECT_LE(one.arena_bytes(), peak) << tenth;
    EXPECT_FALSE(one.fits() && !fitted) << "fits again at " << tenth;
    fitted = one.fits();
    peak = one.arena_bytes();
    if (!fitted) {
      EXPECT_EQ(one.smallest_limit_bytes, one.arena_bytes());
    }
  }
  EXPECT_LT(peak, ample * 8 / 10);
}

TEST_P(SearchPlan, TheSmallestLimitItNamesIsOneThatDoes) {
  const std::int64_t least = plan(1).smallest_limit_bytes;
  EXPECT_TRUE(plan(least).fits());
  EXPECT_FALSE(plan(least - 1).fits());
}

TEST_P(SearchPlan, TakesTheFewestMicroBatchesThatFit) {
  request_.may_recompute = false;
  request_.statistics_batch = 1;
  const Plan less = plan(plan(request_.limit_bytes).arena_bytes() * 8 / 10);
  ASSERT_TRUE(less.fits());
  ASSERT_GT(less.accumulation, 1);
  PlanRequest fewer = request_;
  fewer.micro_batch = (64 + less.accumulation - 2) / (less.accumulation - 1);
  EXPECT_GT(make_plan(graph_, fewer, *backend_).arena_bytes(), less.request.limit_bytes);
}

TEST_P(SearchPlan, DoesOnlyWhatIsAllowed) {
  const std::int64_t limit = plan(request_.limit_bytes).arena_bytes() * 6 / 10;
  request_.may_shrink = false;
  EXPECT_EQ(plan(limit).micro_batch, 64);
  request_.may_recompute = false;
  const Plan refused = plan(limit);
  EXPECT_FALSE(refused.fits());
  EXPECT_TRUE(refused.program.choices.recompute.empty());
  try {
    refuse_plan(refused, graph_);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
    EXPECT_THAT(error.what(), HasSubstr("memory.allow"));
  }
}

TEST_P(SearchPlan, MakesBatchesOfEvaluationSmallerAndNothingElse) {
  request_.evaluate_batch = 1;
  const std::int64_t least = plan(request_.limit_bytes).arena_bytes();
  request_.evaluate_batch = 3000;
  request_.find_smallest = true;
  const Plan ample = plan(request_.limit_bytes);
  EXPECT_EQ(ample.program.choices.evaluate_samples, 3000);
  ASSERT_GT(ample.arena_bytes(), least);
  for (const std::int64_t limit : {least, (least + ample.arena_bytes()) / 2, ample.arena_bytes() - 1}) {
    const Plan less = plan(limit);
    ASSERT_TRUE(less.fits());
    EXPECT_EQ(less.micro_batch, 64);
    EXPECT_TRUE(less.program.choices.recompute.empty());
    EXPECT_EQ(less.smallest_limit_bytes, ample.smallest_limit_bytes);
    const std::int64_t samples = less.program.choices.evaluate_samples;
    EXPECT_LT(samples, 3000);
    PlanRequest more = request_;
    more.evaluate_batch = samples + 1;
    EXPECT_GT(make_plan(graph_, more, *backend_).arena_bytes(), limit);
    ASSERT_EQ(action_lines(less).size(), 1U);
    EXPECT_EQ(action_lines(less)[0],
              fmt::format("to fit, evaluated in batches of {} in place of 3000: saves {}", samples,
                          format_bytes(ample.arena_bytes() - less.arena_bytes())));
  }
  const Plan both = plan(least - 1);
  ASSERT_TRUE(both.fits());
  EXPECT_EQ(action_lines(both).size(), 2U);
  request_.may_shrink = request_.may_recompute = false;
  EXPECT_THAT(refusal_of(plan(ample.arena_bytes() - 1), graph_),
              HasSubstr("That is evaluation, 3000 at a time: lower train.evaluate_batch"));
}

// Left to itself evaluation is as large as the micro-batch, but no reason for a refusal.
TEST_P(SearchPlan, EvaluationOfNoGivenSizeIsNoReasonToRefuse) {
  request_.batch = 8;
  request_.device = "cpu";
  request_.evaluated_bytes = 1 << 20;
  request_.loader_bytes = (8 + 3) * request_.evaluated_bytes;  // 8 of evaluation
  request_.find_smallest = true;
  const Plan ample = plan(request_.limit_bytes);
  EXPECT_EQ(ample.program.choices.evaluate_samples, 8);
  const Plan least = plan(ample.smallest_limit_bytes);
  ASSERT_TRUE(least.fits());
  EXPECT_EQ(least.program.choices.evaluate_samples, 1);
  EXPECT_FALSE(plan(ample.smallest_limit_bytes - 1).fits());
  PlanRequest of_one = request_;
  set_evaluate_batch(of_one, 8, 1);
  EXPECT_EQ(search_plan(graph_, of_one, *backend_).smallest_limit_bytes, ample.smallest_limit_bytes);
}

TEST_P(SearchPlan, AdvisesHalfPrecisionOnlyWhereItHelps) {
  if (half_type_of(*backend_) == DType::f32) GTEST_SKIP() << "no half type here";
  request_.may_shrink = request_.may_recompute = false;
  request_.batch = 1;
  const std::int64_t full = plan(request_.limit_bytes).arena_bytes();
  request_.precision = half_type_of(*backend_);
  const std::int64_t half = plan(request_.limit_bytes).arena_bytes();
  request_.precision = DType::f32;
  request_.may_shrink = request_.may_recompute = true;
  EXPECT_EQ(plan(std::min(half, full) - 1).half_would_fit, false);
  const Plan refused = plan(plan(1).smallest_limit_bytes - 1);
  PlanRequest way = refused.request;
  way.precision = half_type_of(*backend_);
  EXPECT_EQ(refused.half_would_fit, make_plan(graph_, way, *backend_).fits());
  EXPECT_EQ(refusal_of(refused, graph_).find("half_precision") != std::string::npos, refused.half_would_fit);
}

INSTANTIATE_TEST_SUITE_P(Networks, SearchPlan,
                         testing::Values("lenet", "fashion_grid", "resnet20", "nin_cifar10"),
                         [](const auto& net) { return net.param; });

TEST(SearchPlanWithBatchNorm, ShrinksOnlyWhereRecomputeDoesNotDoAndNotBelowTheFloor) {
  const Graph graph = read_network(CONVOY_SOURCE "/configs/nets/resnet20.toml");
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  PlanRequest request;
  request.samples = 1000;
  request.batch = 64;
  request.limit_bytes = std::int64_t{1} << 50;
  request.may_shrink = true;
  request.may_recompute = true;
  const std::int64_t ample = search_plan(graph, request, *backend).arena_bytes();
  request.limit_bytes = ample * 7 / 10;
  EXPECT_EQ(search_plan(graph, request, *backend).micro_batch, 64);
  request.limit_bytes = 1;
  EXPECT_EQ(search_plan(graph, request, *backend).micro_batch, 16);
  request.batch = 50;  // in three parts, not in four of 13
  EXPECT_EQ(search_plan(graph, request, *backend).micro_batch, 17);
  request.batch = 64;
  request.statistics_batch = 4;
  EXPECT_EQ(search_plan(graph, request, *backend).micro_batch, 4);
}

}  // namespace
}  // namespace convoy::test
