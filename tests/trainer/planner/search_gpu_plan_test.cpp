// The search for a plan that fits a GPU: workspaces and half precision are there to be changed too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/sizes/size_backend.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

class SearchGpuPlan : public testing::TestWithParam<std::string> {
 protected:
  SearchGpuPlan() {
    request_.samples = 1000;
    request_.batch = 64;
    request_.may_shrink = request_.may_recompute = true;
    request_.may_halve_precision = request_.may_shrink_workspace = true;
    request_.limit_bytes = std::int64_t{1} << 50;
    request_.overhead_bytes = 100 << 20;
    request_.collective_bytes = 24 << 20;
    request_.workspace_bytes = 4 << 20;
    request_.speed = {1e13, 8e13, 1e12, 3e-6};
  }

  Plan plan(std::int64_t limit) {
    PlanRequest request = request_;
    request.limit_bytes = limit;
    return search_plan(graph_, request, *backend_);
  }

  Graph graph_ = read_network(CONVOY_SOURCE "/configs/nets/" + GetParam() + ".toml");
  std::unique_ptr<Backend> backend_ = make_size_backend({"gpu", {DType::f32, DType::f16}});
  PlanRequest request_;
};

const PlanAction& action(const Plan& plan, const std::string& name) {
  return *std::find_if(plan.actions.begin(), plan.actions.end(),
                       [&](const PlanAction& one) { return one.name == name; });
}

TEST_P(SearchGpuPlan, ChangesNothingWithoutNeed) {
  const Plan ample = plan(request_.limit_bytes);
  EXPECT_EQ(ample.request.precision, DType::f32);
  EXPECT_EQ(ample.workspace_bytes, request_.workspace_bytes);
  EXPECT_EQ(ample.micro_batch, 64);
  EXPECT_TRUE(action_lines(ample).empty());
  EXPECT_EQ(ample.actions.size(), 4U);
  EXPECT_EQ(ample.projected_bytes(), ample.arena_bytes() + (124 << 20));
  EXPECT_EQ(plan(ample.projected_bytes()).projected_bytes(), ample.projected_bytes());
}

TEST_P(SearchGpuPlan, OneByteLessGivesAnotherPlanThatFits) {
  const std::int64_t bytes = plan(request_.limit_bytes).projected_bytes();
  for (const bool half : {true, false}) {
    request_.may_halve_precision = half;
    const Plan less = plan(bytes - 1);
    ASSERT_TRUE(less.fits());
    EXPECT_FALSE(action_lines(less).empty());
    std::int64_t saved = 0;
    for (const PlanAction& one : less.actions) saved += one.saved_bytes;
    EXPECT_EQ(saved, bytes - less.projected_bytes());
    EXPECT_EQ(less.request.precision == DType::f16, half) << "on this device it is the fastest";
  }
}

TEST_P(SearchGpuPlan, ALowerLimitNeverGivesAHigherPeak) {
  const std::int64_t ample = plan(request_.limit_bytes).projected_bytes();
  std::int64_t peak = ample;
  bool fitted = true;
  for (int tenth = 10; tenth >= 1; --tenth) {
    const Plan one = plan(ample * tenth / 10);
    EXPECT_LE(one.projected_bytes(), peak) << tenth;
    EXPECT_FALSE(one.fits() && !fitted) << "fits again at " << tenth;
    fitted = one.fits();
    peak = one.projected_bytes();
  }
}

TEST_P(SearchGpuPlan, TheSmallestLimitItNamesIsOneThatDoes) {
  request_.find_smallest = true;
  const std::int64_t least = plan(request_.limit_bytes).smallest_limit_bytes;
  EXPECT_LT(least, plan(request_.limit_bytes).projected_bytes());
  EXPECT_EQ(plan(1).smallest_limit_bytes, least);
  EXPECT_TRUE(plan(least).fits());
  EXPECT_FALSE(plan(least - 1).fits());
}

TEST_P(SearchGpuPlan, DoesOnlyWhatIsAllowed) {
  const std::int64_t limit = plan(request_.limit_bytes).projected_bytes() - 1;
  request_.may_shrink = request_.may_recompute = request_.may_halve_precision = false;
  const Plan workspace = plan(limit);
  EXPECT_EQ(workspace.request.precision, DType::f32);
  if (workspace.fits()) {
    EXPECT_FALSE(action(workspace, "half_precision").taken);
    EXPECT_EQ(action(workspace, "half_precision").reason, "memory.allow forbids it");
    EXPECT_TRUE(action(workspace, "workspace").taken);
    EXPECT_LT(workspace.workspace_bytes, request_.workspace_bytes);
    EXPECT_GT(action(workspace, "workspace").slowdown, 1);
  }
  request_.may_shrink_workspace = false;
  EXPECT_FALSE(plan(limit).fits());
  EXPECT_EQ(plan(limit).workspace_bytes, request_.workspace_bytes);
}

INSTANTIATE_TEST_SUITE_P(Networks, SearchGpuPlan, testing::Values("lenet", "resnet20", "nin_cifar10"),
                         [](const auto& net) { return net.param; });

TEST(SearchPlanWithoutHalf, SaysNothingOfWhatTheDeviceDoesNotHave) {
  const Graph graph = read_network(CONVOY_SOURCE "/configs/nets/lenet.toml");
  const std::unique_ptr<Backend> backend = make_size_backend({"old", {DType::f32}});
  PlanRequest request;
  request.samples = request.batch = 64;
  request.may_halve_precision = true;
  request.limit_bytes = 1;
  const Plan plan = search_plan(graph, request, *backend);
  EXPECT_EQ(plan.request.precision, DType::f32);
  EXPECT_EQ(plan.half_type, DType::f32);
  request.limit_bytes = std::int64_t{1} << 40;
  for (const PlanAction& one : search_plan(graph, request, *backend).actions)
    EXPECT_NE(one.name, "half_precision");
}

}  // namespace
}  // namespace convoy::test
