#include "trainer/planner/search_batch.h"

#include <fmt/format.h>

#include <algorithm>

namespace convoy {
namespace {

class BatchSearch {
 public:
  BatchSearch(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
              const CostModel& costs, const std::function<Plan(const PlanRequest&)>& search)
      : graph_(graph),
        request_(request),
        backend_(backend),
        lowerings_(lowerings),
        costs_(costs),
        search_(search) {}

  Plan run() {
    if (request_.kept_batch > 0 && request_.kept_batch < request_.batch) {
      if (Plan kept = with(request_.kept_batch); kept.fits())
        return told(std::move(kept), "as the run began");
    }
    Plan asked = with(request_.batch);
    const std::int64_t share = share_of(request_);
    if (share > 1 && (!asked.fits() || request_.find_smallest)) {
      Plan least = with(request_.ranks);
      asked.smallest_limit_bytes = least.smallest_limit_bytes =
          std::min(smallest_limit(asked), smallest_limit(least));
      if (!asked.fits()) return least.fits() ? largest(std::move(least), share) : smaller(asked, least);
    }
    if (asked.fits()) asked.actions.push_back({"global_batch", false, 0, 1, "not needed"});
    return asked;
  }

 private:
  PlanRequest request_with(std::int64_t batch) const {
    PlanRequest request = request_;
    request.batch = batch;
    return request;
  }
  Plan with(std::int64_t batch) {
    Plan plan = search_(request_with(batch));
    plan.asked_batch = request_.batch;
    return plan;
  }

  /// `best` fits with a sample a rank, and `bad` samples a rank do not.
  Plan largest(Plan best, std::int64_t bad) {
    const std::int64_t smallest = best.smallest_limit_bytes;
    std::int64_t good = 1;
    while (bad - good > 1) {
      const std::int64_t middle = good + (bad - good) / 2;
      Plan plan = with(middle * request_.ranks);
      if (plan.fits()) best = std::move(plan);
      (best.request.batch == middle * request_.ranks ? good : bad) = middle;
    }
    if (request_.find_smallest) best.smallest_limit_bytes = smallest;
    return told(std::move(best), "linear scaling");
  }

  /// Says what was done; to be counted before the plan's other actions, which start from this batch.
  Plan told(Plan plan, const char* why) {
    const PlanRequest taken = request_with(plan.request.batch);
    const auto seconds = [&](const PlanRequest& request) {
      const Way way{request.precision, request.workspace_bytes, request.recompute, share_of(request),
                    request.shard_optimizer ? request.ranks : 1};
      return costs_.cost(way, request.ranks, share_of(request)).total / static_cast<double>(request.batch);
    };
    const std::int64_t saved = make_plan(graph_, request_, backend_, &lowerings_).arena_bytes() -
                               make_plan(graph_, taken, backend_, &lowerings_).arena_bytes();
    plan.actions.insert(
        plan.actions.begin(),
        PlanAction{"global_batch", true, saved, seconds(taken) / seconds(request_),
                   fmt::format("{} in place of {}, and {:g} x the learning rate ({}){}", taken.batch,
                               request_.batch, plan.learning_rate_factor(), why,
                               cuts_statistics(plan) ? "; batch norm's statistics are of fewer too" : "")});
    return plan;
  }

  bool cuts_statistics(const Plan& plan) const {
    return plan.micro_batch < request_.statistics_batch && has_batch_norm(graph_);
  }
  static std::int64_t smallest_limit(const Plan& plan) {
    return plan.smallest_limit_bytes > 0 ? plan.smallest_limit_bytes : plan.projected_bytes();
  }
  static Plan& smaller(Plan& a, Plan& b) { return b.projected_bytes() < a.projected_bytes() ? b : a; }

  const Graph& graph_;
  const PlanRequest& request_;
  Backend& backend_;
  Lowerings& lowerings_;
  const CostModel& costs_;
  const std::function<Plan(const PlanRequest&)>& search_;
};

}  // namespace

Plan search_batch(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
                  const CostModel& costs, const std::function<Plan(const PlanRequest&)>& search) {
  return BatchSearch(graph, request, backend, lowerings, costs, search).run();
}

}  // namespace convoy
