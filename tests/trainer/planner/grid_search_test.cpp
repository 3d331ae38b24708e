// What search_plan takes, against everything that it could have taken.

#include <gtest/gtest.h>

#include <set>

#include "layers/sizes/size_backend.h"
#include "trainer/planner/cost_model.h"
#include "trainer/planner/recompute_sets.h"
#include "trainer/planner/search_plan.h"

namespace convoy {
namespace {

constexpr double kNearlyBest = 1.05;
constexpr double kNothing = 1e30;
constexpr std::int64_t kEffort = LayoutOptions::kSecond / 100;  // for each of hundreds

struct Case {
  std::string network;
  int ranks;
};

class GridSearch : public testing::TestWithParam<Case> {
 protected:
  GridSearch() {
    request_.samples = 640;
    request_.batch = 64 * GetParam().ranks;
    request_.ranks = GetParam().ranks;
    request_.evaluate = false;
    request_.may_shrink = request_.may_recompute = request_.may_shrink_workspace = true;
    request_.may_shard_optimizer = true;
    request_.workspace_bytes = 4 << 20;
    request_.speed = {1e13, 4e13, 5e11, 3e-6};
    request_.links = {Interconnect::Library::nccl, {5e-6, 1e10}, {}, -1};
  }

  /// Seconds of the fastest of all ways that fit, by trying each. Batch norm's micro-batches shrink only
  /// where nothing else fits, and not below the floor.
  double best_of_all() {
    const bool statistics =
        std::any_of(graph_.layers().begin(), graph_.layers().end(),
                    [](const Layer& layer) { return std::holds_alternative<BatchNorm>(layer.op); });
    const std::int64_t share = share_of(request_);
    const double whole = best_of(1);
    if (statistics && whole < kNothing) return whole;
    return std::min(whole, best_of(statistics ? share / request_.statistics_batch : share));
  }

  double best_of(std::int64_t most_parts) {
    const CostModel model(graph_, request_);
    std::vector<DType> precisions{DType::f32};
    if (request_.may_halve_precision) precisions.push_back(DType::f16);
    std::set<std::int64_t> sizes;
    const std::int64_t share = share_of(request_);
    for (std::int64_t parts = 1; parts <= most_parts; ++parts) sizes.insert((share + parts - 1) / parts);
    double best = kNothing;
    for (const DType precision : precisions) {
      for (const std::int64_t workspace : {4 << 20, 1 << 20, 1 << 18, 0}) {
        for (const RecomputeSet& set : recompute_sets(graph_)) {
          for (const std::int64_t size : sizes) {
            for (const int shards : std::set<int>{1, request_.ranks}) {
              const double seconds = model.seconds({precision, workspace, set.layers, size, shards});
              if (seconds >= best) continue;
              PlanRequest one = request_;
              one.precision = precision;
              one.workspace_bytes = workspace;
              one.recompute = set.layers;
              one.micro_batch = size;
              one.shard_optimizer = shards > 1;
              if (make_plan(graph_, one, *backend_, &lowerings_, {kEffort, one.limit_bytes}).fits())
                best = seconds;
            }
          }
        }
      }
    }
    return best;
  }

  Graph graph_ = read_network(CONVOY_SOURCE "/configs/nets/" + GetParam().network + ".toml");
  std::unique_ptr<Backend> backend_ = make_size_backend({"gpu", {DType::f32, DType::f16}});
  PlanRequest request_;
  Lowerings lowerings_;
};

TEST_P(GridSearch, FindsNothingThatFitsAndIsClearlyFasterThanThePlan) {
  request_.limit_bytes = std::int64_t{1} << 50;
  const std::int64_t ample = make_plan(graph_, request_, *backend_, &lowerings_).projected_bytes();
  for (const bool half : {false, true}) {
    request_.may_halve_precision = half;
    for (const int percent : {90, 70, 50, 35}) {
      request_.limit_bytes = ample * percent / 100;
      const Plan plan = search_plan(graph_, request_, *backend_, &lowerings_);
      const double best = best_of_all();
      ASSERT_GE(plan.fits(), best < kNothing) << percent;
      if (!plan.fits()) continue;
      const Choices& taken = plan.program.choices;
      const double seconds = CostModel(graph_, request_)
                                 .seconds({taken.precision, taken.workspace_bytes, taken.recompute,
                                           plan.micro_batch, taken.shards});
      EXPECT_LE(seconds, kNearlyBest * best) << percent << "%, half precision " << half;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, GridSearch,
                         testing::Values(Case{"lenet", 1}, Case{"fashion_grid", 1}, Case{"fashion_grid", 4},
                                         Case{"lenet5", 2}, Case{"nin_cifar10", 2}),
                         [](const auto& one) {
                           return one.param.network + "_on_" + std::to_string(one.param.ranks);
                         });

}  // namespace
}  // namespace convoy
