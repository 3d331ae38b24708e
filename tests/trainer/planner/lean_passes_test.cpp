#include "trainer/planner/lean_passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "layers/cpu/cpu_backend.h"
#include "layers/sizes/size_backend.h"
#include "trainer/planner/arena_bound.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/recompute_sets.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kAmple = std::int64_t{1} << 50;

Graph network(const std::string& name) {
  return read_network(CONVOY_SOURCE "/configs/nets/" + name + ".toml");
}

PlanRequest request_of(std::int64_t batch) {
  PlanRequest request;
  request.samples = 10 * batch + 1;
  request.batch = batch;
  request.evaluate_batch = 1;
  request.update_in_backward = true;
  request.limit_bytes = kAmple;
  return request;
}

/// Steps of training that run Winograd's algorithm.
int winograd_steps(const Plan& plan) {
  return static_cast<int>(
      std::count_if(plan.program.steps.begin(), plan.program.steps.end(), [](const Step& step) {
        return step.lowered != nullptr &&
               step.lowered->implementation(step.pass).find("wino") != std::string::npos;
      }));
}

class Lean : public testing::Test {
 protected:
  void SetUp() override {
    if (winograd_steps(make_plan(resnet_, request_, *backend_, &lowerings_)) == 0)
      GTEST_SKIP() << "this processor has no Winograd kernels";
  }
  Plan plan(const PlanRequest& request) { return search_plan(resnet_, request, *backend_, &lowerings_); }

  Graph resnet_ = network("resnet50");
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  PlanRequest request_ = request_of(32);
  Lowerings lowerings_;
};

TEST_F(Lean, PassesLowerThePeakOfResNet50) {
  const Plan usual = make_plan(resnet_, request_, *backend_, &lowerings_);
  const Plan lean = plan(request_);
  const LeanPasses& taken = lean.request.lean;
  ASSERT_FALSE(taken.passes.empty());
  EXPECT_LT(taken.passes.size(), 8U);
  EXPECT_EQ(taken.names.size(), taken.passes.size());
  EXPECT_LT(lean.arena_bytes(), usual.arena_bytes() * 97 / 100);
  EXPECT_EQ(usual.layout.lower_bound - lean.layout.lower_bound, taken.saved_bytes);
  EXPECT_GT(taken.slowdown, 1);
  EXPECT_LT(taken.slowdown, 1.04);
  EXPECT_LT(winograd_steps(lean), winograd_steps(usual));
  EXPECT_GT(winograd_steps(lean), winograd_steps(usual) / 2);
  for (const PlanAction& action : lean.actions) EXPECT_FALSE(action.taken) << action.name;
  EXPECT_THAT(lean_line(lean), HasSubstr("backward_weights 5b2/conv"));
  EXPECT_THAT(plan_text(lean, resnet_), HasSubstr(lean_line(lean)));
  EXPECT_EQ(plan_json(lean, resnet_).at("lean_saved_bytes"), taken.saved_bytes);
}

TEST_F(Lean, PassesDoNotDependOnWhatThePlannerDoes) {
  const std::vector<LeanPass> passes = plan(request_).request.lean.passes;
  ASSERT_FALSE(passes.empty());
  const auto same = [&](const char* what, const PlanRequest& request) {
    EXPECT_EQ(plan(request).request.lean.passes, passes) << what;
  };
  PlanRequest other = request_;
  other.evaluate = false;
  same("no evaluation", other);
  other = request_;
  other.evaluate_batch = 200;
  same("a large batch of evaluation", other);
  other = request_;
  other.recompute = recompute_sets(resnet_)[1].layers;
  same("recompute", other);
  other = request_;
  other.may_recompute = other.may_shrink = other.may_shrink_workspace = true;
  other.limit_bytes = plan(request_).projected_bytes() * 6 / 10;
  const Plan limited = plan(other);
  ASSERT_TRUE(limited.fits());
  EXPECT_EQ(limited.program.choices.lean, passes);
  PlanRequest ranks = request_;
  ranks.ranks = 2;
  ranks.batch = 64;
  const std::vector<LeanPass> of_two = plan(ranks).request.lean.passes;
  ranks.shard_optimizer = true;
  EXPECT_EQ(plan(ranks).request.lean.passes, of_two);
}

TEST_F(Lean, PassesAreFoundAnewWhateverTheRequestSays) {
  PlanRequest stale = request_;
  stale.lean.passes = {{1, PassKind::forward}};
  EXPECT_EQ(plan(stale).request.lean.passes, plan(request_).request.lean.passes);
}

TEST_F(Lean, PassesAreNotForJobsThatNameACap) {
  for (const std::int64_t bytes : {std::int64_t{0}, std::int64_t{1} << 40}) {
    PlanRequest named = request_;
    named.workspace_bytes = bytes;
    const Plan made = plan(named);
    EXPECT_TRUE(made.request.lean.passes.empty());
    EXPECT_EQ(lean_line(made), "");
    EXPECT_EQ(made.workspace_bytes, bytes);
    EXPECT_EQ(winograd_steps(made) > 0, bytes > 0);
  }
}

TEST_F(Lean, TheWorkspaceActionIsTakenWhereNothingElseMayBe) {
  PlanRequest limited = request_;
  limited.may_shrink_workspace = true;
  limited.limit_bytes = plan(request_).projected_bytes() - 1;
  const Plan less = plan(limited);
  ASSERT_TRUE(less.fits());
  EXPECT_LT(winograd_steps(less), winograd_steps(plan(request_)));
  const auto action = std::find_if(less.actions.begin(), less.actions.end(),
                                   [](const PlanAction& one) { return one.name == "workspace"; });
  ASSERT_NE(action, less.actions.end());
  EXPECT_TRUE(action->taken);
  EXPECT_EQ(action->saved_bytes, plan(request_).arena_bytes() - less.arena_bytes());
  EXPECT_GT(action->slowdown, 1);
  EXPECT_THAT(action->reason, HasSubstr("in place of any size"));
  limited.may_shrink_workspace = false;
  EXPECT_FALSE(plan(limited).fits());
}

/// Their peaks are in the weights and at fully connected layers.
TEST(LeanPassesOf, NetworksWhosePeakIsElsewhereAreNone) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  for (const auto& [name, batch] : {std::pair{"vgg16", 16}, {"alexnet", 64}, {"alexnet_owt", 64}}) {
    const Graph graph = network(name);
    const Plan usual = make_plan(graph, request_of(batch), *backend);
    const Plan made = search_plan(graph, request_of(batch), *backend);
    EXPECT_TRUE(made.request.lean.passes.empty()) << name;
    EXPECT_EQ(winograd_steps(made), winograd_steps(usual)) << name;
    EXPECT_EQ(hash_of(made.program, *backend), hash_of(usual.program, *backend)) << name;
  }
}

TEST(LeanPassesOf, GpusAndEvaluationsAreNone) {
  const Graph graph = network("resnet50");
  Lowerings lowerings;
  PlanRequest request = request_of(32);
  request.workspace_bytes = kAnyWorkspace;
  const std::unique_ptr<Backend> gpu = make_size_backend({"gpu", {DType::f32}});
  EXPECT_TRUE(find_lean_passes(graph, request, *gpu, lowerings).passes.empty());
  request.training = false;
  const std::unique_ptr<Backend> cpu = make_cpu_backend();
  lowerings.clear();
  EXPECT_TRUE(find_lean_passes(graph, request, *cpu, lowerings).passes.empty());
}

/// What was lowered under other caps is taken over where it is the same.
TEST(KnownLayers, GiveTheSameProgramAsLoweringAnew) {
  const Graph graph = network("resnet50");
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  PlanRequest request = request_of(16);
  std::vector<PlanRequest> requests;
  for (const std::int64_t cap : {kAnyWorkspace, std::int64_t{0}, std::int64_t{20} << 20}) {
    request.workspace_bytes = cap;
    requests.push_back(request);
  }
  request.workspace_bytes = kAnyWorkspace;
  request.lean.passes = {{static_cast<int>(graph.layers().size()) / 2, PassKind::backward_weights}};
  requests.push_back(request);
  for (const bool forwards : {true, false}) {
    Lowerings known;
    for (const PlanRequest& one : requests) {
      const Program anew = program_of(graph, one, *backend, nullptr);
      const Program taken = program_of(graph, one, *backend, &known);
      EXPECT_EQ(hash_of(taken, *backend), hash_of(anew, *backend));
      for (std::size_t s = 0; s < anew.steps.size(); ++s) {
        if (anew.steps[s].lowered == nullptr) continue;
        EXPECT_EQ(taken.steps[s].lowered->implementation(taken.steps[s].pass),
                  anew.steps[s].lowered->implementation(anew.steps[s].pass))
            << anew.steps[s].name << (forwards ? "" : ", backwards");
      }
    }
    // Layers that no cap concerns are lowered once for all of these.
    const auto loss = static_cast<std::size_t>(graph.loss_layer());
    const LoweredLayer* shared = nullptr;
    for (const auto& [key, lowering] : known) {
      if (std::get<0>(key) != SegmentKind::train || std::get<1>(key) != 16) continue;
      if (shared == nullptr) shared = lowering.layers[loss].get();
      EXPECT_EQ(lowering.layers[loss].get(), shared);
    }
    std::reverse(requests.begin(), requests.end());
  }
}

}  // namespace
}  // namespace convoy::test
