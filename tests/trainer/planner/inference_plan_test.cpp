#include "trainer/planner/inference_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "layers/cpu/cpu_backend.h"
#include "layers/sizes/size_backend.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

class InferencePlan : public testing::TestWithParam<std::string> {
 protected:
  InferencePlan() {
    request_.training = false;
    request_.samples = 1000;
    request_.batch = 64;
    request_.may_shrink = true;
    request_.limit_bytes = std::int64_t{1} << 50;
  }

  Plan plan(std::int64_t limit) {
    PlanRequest request = request_;
    request.limit_bytes = limit;
    return search_plan(graph_, request, *backend_);
  }
  Plan plan_of(std::int64_t batch) {
    PlanRequest request = request_;
    request.evaluate_batch = batch;
    return make_plan(graph_, request, *backend_);
  }

  Graph graph_ = read_network(CONVOY_SOURCE "/configs/nets/" + GetParam() + ".toml");
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  PlanRequest request_;
};

/// Found from the steps themselves: nothing is alive that no later step reads, but for the output.
TEST_P(InferencePlan, KeepsNothingLongerThanItsLastReader) {
  const Plan one = plan(request_.limit_bytes);
  const Program& program = one.program;
  ASSERT_EQ(program.segments.size(), 1U);
  EXPECT_EQ(program.gradients, -1);
  EXPECT_EQ(program.momentum, -1);
  for (int t = 0; t < static_cast<int>(program.tensors.size()); ++t) {
    const Tensor& tensor = program.tensors[static_cast<std::size_t>(t)];
    if (t == program.weights || t == program.state || t == program.metrics) continue;
    int last = -1;
    int first = static_cast<int>(program.steps.size());
    for (int s = 0; s < static_cast<int>(program.steps.size()); ++s) {
      const Step& step = program.steps[static_cast<std::size_t>(s)];
      const auto is = [&](const Ref& ref) { return ref.tensor == t; };
      const bool used = std::any_of(step.reads.begin(), step.reads.end(), is) ||
                        std::any_of(step.writes.begin(), step.writes.end(), is) || step.scratch == t;
      if (!used) continue;
      last = s;
      first = std::min(first, s);
    }
    if (t == program.segments[0].output) last = static_cast<int>(program.steps.size()) - 1;
    if (t == program.segments[0].pixels || t == program.segments[0].labels) first = 0;
    EXPECT_EQ(tensor.first, first) << tensor.name;
    EXPECT_EQ(tensor.last, last) << tensor.name;
  }
  PlanRequest training = request_;
  training.training = true;
  EXPECT_LT(one.arena_bytes(), make_plan(graph_, training, *backend_).arena_bytes());
}

TEST_P(InferencePlan, TakesTheLargestBatchThatFits) {
  const std::int64_t ample = plan(request_.limit_bytes).projected_bytes();
  EXPECT_EQ(plan(ample).micro_batch, 64);
  const std::int64_t one = plan_of(1).projected_bytes();
  for (const int percent : {99, 70, 30, 1}) {
    const std::int64_t limit = one + (ample - one) * percent / 100;
    const Plan less = plan(limit);
    ASSERT_TRUE(less.fits()) << percent;
    EXPECT_LT(less.micro_batch, 64);
    EXPECT_EQ(less.program.choices.evaluate_samples, less.micro_batch);
    EXPECT_GT(plan_of(less.micro_batch + 1).projected_bytes(), limit) << percent;
    ASSERT_EQ(action_lines(less).size(), 1U);
    EXPECT_EQ(action_lines(less)[0].rfind("to fit, evaluated in batches of ", 0), 0U)
        << action_lines(less)[0];
    EXPECT_EQ(less.actions[0].saved_bytes, ample - less.projected_bytes());
  }
}

TEST_P(InferencePlan, TellsTheLargestBatchAndTheLeastLimit) {
  request_.find_smallest = true;
  request_.evaluate_batch = 8;
  const std::int64_t limit = 3 * plan(request_.limit_bytes).projected_bytes();
  const Plan found = plan(limit);
  EXPECT_EQ(found.micro_batch, 8) << "not more than was asked for";
  EXPECT_GT(found.largest_batch, 8);
  request_.samples = found.largest_batch + 1;
  EXPECT_LE(plan_of(found.largest_batch).projected_bytes(), limit);
  EXPECT_GT(plan_of(found.largest_batch + 1).projected_bytes(), limit);
  EXPECT_TRUE(plan(found.smallest_limit_bytes).fits());
  EXPECT_FALSE(plan(found.smallest_limit_bytes - 1).fits());
}

TEST_P(InferencePlan, DoesOnlyWhatIsAllowed) {
  const std::int64_t ample = plan(request_.limit_bytes).projected_bytes();
  request_.may_shrink = false;
  EXPECT_TRUE(plan(ample).fits());
  EXPECT_FALSE(plan(ample - 1).fits());
  EXPECT_EQ(plan(ample - 1).micro_batch, 64);
}

INSTANTIATE_TEST_SUITE_P(Networks, InferencePlan, testing::Values("lenet", "resnet20", "squeezenet1_1"),
                         [](const auto& net) { return net.param; });

TEST(InferencePlanOnGpu, HalvesThePrecisionOnlyWhereNotOneImageFits) {
  const Graph graph = read_network(CONVOY_SOURCE "/configs/nets/lenet.toml");
  const std::unique_ptr<Backend> backend = make_size_backend({"gpu", {DType::f32, DType::f16}});
  PlanRequest request;
  request.training = false;
  request.samples = request.batch = 64;
  request.may_shrink = request.may_halve_precision = request.may_shrink_workspace = true;
  request.limit_bytes = 1;
  const Plan least = search_plan(graph, request, *backend);
  EXPECT_FALSE(least.fits());
  EXPECT_EQ(least.request.precision, DType::f16);
  EXPECT_EQ(least.micro_batch, 1);
  request.limit_bytes = least.smallest_limit_bytes;
  EXPECT_TRUE(search_plan(graph, request, *backend).fits());
  PlanRequest full = request;
  full.evaluate_batch = 1;
  full.workspace_bytes = 0;
  request.limit_bytes = make_plan(graph, full, *backend).projected_bytes();
  EXPECT_EQ(search_plan(graph, request, *backend).request.precision, DType::f32);
}

}  // namespace
}  // namespace convoy::test
