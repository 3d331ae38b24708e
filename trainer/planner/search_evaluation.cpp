#include "trainer/planner/search_evaluation.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/planner/inference_plan.h"

namespace convoy {
namespace {

bool changed(const Plan& plan) {
  return plan.request.batch != plan.asked_batch ||
         std::any_of(plan.actions.begin(), plan.actions.end(),
                     [](const PlanAction& action) { return action.taken; });
}

class EvaluationSearch {
 public:
  EvaluationSearch(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
                   const std::function<Plan(const PlanRequest&)>& search)
      : graph_(graph), request_(request), backend_(backend), lowerings_(lowerings), search_(search) {}

  Plan run() {
    PlanRequest least = request_;
    set_evaluate_batch(least, least.evaluate_batch, 1);
    Plan asked = search_(request_);
    if (asked.fits() && !changed(asked)) {
      asked.actions.push_back({"evaluate_batch", false, 0, 1, "not needed"});
      if (request_.find_smallest) asked.smallest_limit_bytes = search_(least).smallest_limit_bytes;
      return asked;
    }
    Plan training = search_(least);
    if (!training.fits()) return training;
    const std::int64_t batch = largest(training);
    Plan taken = batch == 1 ? training : with(training.request, batch);
    taken.asked_batch = training.asked_batch;
    taken.actions = std::move(training.actions);
    taken.alternatives = std::move(training.alternatives);
    taken.smallest_limit_bytes = training.smallest_limit_bytes;
    if (batch == request_.evaluate_batch) return taken;
    std::int64_t saved = with(request_, request_.evaluate_batch).arena_bytes() - taken.arena_bytes();
    for (const PlanAction& action : taken.actions) saved -= action.saved_bytes;
    taken.actions.insert(
        taken.actions.begin(),
        {"evaluate_batch", true, saved, 1, fmt::format("{} in place of {}", batch, request_.evaluate_batch)});
    return taken;
  }

 private:
  Plan with(PlanRequest request, std::int64_t batch) {
    set_evaluate_batch(request, request.evaluate_batch, batch);
    return make_plan(graph_, request, backend_, &lowerings_);
  }

  /// By bisection; one sample at a time fits.
  std::int64_t largest(const Plan& training) {
    std::int64_t good = 1;
    std::int64_t bad = request_.evaluate_batch + 1;
    while (bad - good > 1) {
      const std::int64_t middle = good + (bad - good) / 2;
      (with(training.request, middle).fits() ? good : bad) = middle;
    }
    return good;
  }

  const Graph& graph_;
  const PlanRequest& request_;
  Backend& backend_;
  Lowerings& lowerings_;
  const std::function<Plan(const PlanRequest&)>& search_;
};

}  // namespace

Plan search_evaluation(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
                       const std::function<Plan(const PlanRequest&)>& search) {
  if (request.evaluate_batch > 0) return EvaluationSearch(graph, request, backend, lowerings, search).run();
  Plan plan = search(request);
  PlanRequest wish = request;
  wish.evaluate_batch = asked_micro_batch(request);
  if (wish.evaluate_batch < 2) return plan;
  if (!plan.fits()) return EvaluationSearch(graph, wish, backend, lowerings, search).run();
  if (request.find_smallest) {
    set_evaluate_batch(wish, wish.evaluate_batch, 1);
    plan.smallest_limit_bytes = std::min(plan.smallest_limit_bytes, search(wish).smallest_limit_bytes);
  }
  return plan;
}

}  // namespace convoy
