#include "trainer/planner/search_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "trainer/planner/candidates.h"
#include "trainer/planner/inference_plan.h"
#include "trainer/planner/lean_passes.h"
#include "trainer/planner/plan_actions.h"
#include "trainer/planner/search_batch.h"
#include "trainer/planner/search_evaluation.h"

namespace convoy {
namespace {

/// Times that the size of micro-batches is guessed before the span that is left is halved.
constexpr int kGuesses = 4;

/// As it is asked for. What cannot fit needs no tight layout.
Plan plan_as_asked(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings) {
  LayoutOptions layout;
  layout.available = request.available_bytes();
  return make_plan(graph, request, backend, &lowerings, layout);
}

class Search {
 public:
  /// `costs` are those of the graph on such devices, whatever the batch.
  Search(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
         const CostModel& costs)
      : graph_(graph),
        request_(request),
        backend_(backend),
        lowerings_(lowerings),
        asked_(plan_as_asked(graph, request, backend, lowerings)),
        space_(graph, request, asked_, costs),
        candidates_(graph, request, backend, lowerings, space_, asked_) {}

  Plan run() {
    Plan found = search();
    found.alternatives = candidates_.take_alternatives();
    if (request_.find_smallest && found.smallest_limit_bytes == 0)
      found.smallest_limit_bytes = least_bytes() + request_.beside_bytes();
    found.half_would_fit = !found.fits() && would_fit_in_half(found);
    return found;
  }

 private:
  Plan search() {
    if (asked_.fits()) {
      Plan plan = asked_;
      plan.actions = no_actions(space_);
      return plan;
    }
    const std::int64_t asked_size = space_.asked_size();
    for (const Choice& choice : space_.choices()) {
      if (!candidates_.may_fit(choice, asked_size) || !candidates_.fits(choice, asked_size)) continue;
      consider(choice, asked_size);
      break;
    }
    if (request_.may_shrink && !(space_.keeps_statistics() && best_)) {
      for (const Choice& choice : space_.choices()) {
        if (best_ && choice.cost >= best_cost_) break;
        if (const std::int64_t size = largest_that_fits(choice); size > 0) consider(choice, size);
      }
    }
    if (!best_) try_harder();
    if (!best_) return smallest();
    Plan plan = candidates_.final_plan(*best_, best_size_);
    plan.actions = actions_of(plan, *best_, request_, space_, candidates_, asked_.layout.lower_bound);
    return plan;
  }

  /// Lays out once more what a better layout may bring below the limit.
  void try_harder() {
    for (const LaidOut& way : candidates_.nearly_fitting()) {
      if (best_) break;
      if (candidates_.plan_with_effort(way.choice, way.micro_batch).fits())
        consider(way.choice, way.micro_batch);
    }
  }

  /// The size of micro-batches; 0 when none fits that takes less time than the best so far.
  std::int64_t largest_that_fits(const Choice& choice) {
    // As few micro-batches as will do, of one size but for one sample.
    const auto fits = [&](std::int64_t parts) { return candidates_.fits(choice, space_.size_of(parts)); };
    std::int64_t bad = space_.fewest_parts();
    std::int64_t good = most_worth_trying(choice, bad);
    if (!candidates_.may_fit(choice, space_.size_of(good)) || !fits(good)) return 0;
    for (int probes = 0; good - bad > 1; ++probes) {
      const std::int64_t next = probes < kGuesses ? guess(choice, bad, good) : bad + (good - bad) / 2;
      (fits(next) ? good : bad) = next;
    }
    return space_.size_of(good);
  }

  /// The fewest micro-batches that may fit, if bytes are linear in their size, between `bad` which do not and
  /// `good` which do.
  std::int64_t guess(const Choice& choice, std::int64_t bad, std::int64_t good) const {
    const std::int64_t small = space_.size_of(good);
    const std::int64_t large = space_.size_of(bad);
    const std::int64_t least = candidates_.bytes_of(choice, small);
    std::int64_t most = candidates_.bytes_of(choice, large);
    if (most == 0) most = candidates_.bytes_of(space_.with_least_workspace(choice), large);
    if (least == 0 || most == 0) return bad + (good - bad) / 2;
    const auto span = static_cast<double>(most - least);
    const double part = span > 0 ? static_cast<double>(request_.available_bytes() - least) / span : 0.5;
    const double size =
        static_cast<double>(small) + std::clamp(part, 0.0, 1.0) * static_cast<double>(large - small);
    const auto parts = static_cast<std::int64_t>(std::ceil(static_cast<double>(space_.share()) / size));
    return std::clamp(parts, bad + 1, good - 1);
  }

  /// The more micro-batches, the longer a step takes: the most with which the choice is still better than the
  /// best so far. It is with `few`.
  std::int64_t most_worth_trying(const Choice& choice, std::int64_t few) const {
    const auto better = [&](std::int64_t parts) {
      return !best_ || space_.cost(choice, space_.size_of(parts)) < best_cost_;
    };
    std::int64_t many = space_.most_parts();
    if (better(many)) return many;
    while (many - few > 1) {
      const std::int64_t middle = few + (many - few) / 2;
      (better(middle) ? few : many) = middle;
    }
    return few;
  }

  void consider(const Choice& choice, std::int64_t micro_batch) {
    const SearchCost its = space_.cost(choice, micro_batch);
    if (best_ && its >= best_cost_) return;
    best_ = choice;
    best_size_ = micro_batch;
    best_cost_ = its;
  }

  /// Of the arena, with all that is allowed done to the utmost. Micro-batches add up gradients that one batch
  /// alone need not keep, so neither the smallest ones nor none must be the least.
  std::int64_t least_bytes() {
    std::vector<LaidOut> ways;
    for (const DType precision : space_.precisions()) {
      for (std::size_t set = 0; set < space_.sets().size(); ++set) {
        for (const std::int64_t size : {space_.asked_size(), space_.size_of(space_.most_parts())}) {
          ways.push_back(candidates_.bound(space_.leanest(precision, set), size));
        }
      }
    }
    return std::min(candidates_.least_of(std::move(ways)).bytes, asked_.arena_bytes());
  }

  /// Whether it is worth advising half precision for a plan that does not fit.
  bool would_fit_in_half(const Plan& refused) {
    if (request_.may_halve_precision || !space_.offers("half_precision")) return false;
    PlanRequest request = refused.request;
    request.precision = asked_.half_type;
    return make_plan(graph_, request, backend_, &lowerings_).fits();
  }

  Plan smallest() {
    const LaidOut least = candidates_.least();
    Plan taken = candidates_.plan_with_effort(least.choice, least.micro_batch);
    taken.smallest_limit_bytes = taken.projected_bytes();
    return taken;
  }

  const Graph& graph_;
  const PlanRequest& request_;
  Backend& backend_;
  Lowerings& lowerings_;
  Plan asked_;
  SearchSpace space_;
  Candidates candidates_;
  std::optional<Choice> best_;
  std::int64_t best_size_ = 0;
  SearchCost best_cost_;
};

}  // namespace

Plan search_plan(const Graph& graph, const PlanRequest& asked, Backend& backend, Lowerings* known) {
  Lowerings own;
  Lowerings& lowerings = known == nullptr ? own : *known;
  PlanRequest request = asked;
  request.workspace_bytes = workspace_of(asked, backend);
  request.lean = find_lean_passes(graph, request, backend, lowerings);
  if (!request.training) return plan_inference(graph, request, backend, lowerings);
  const CostModel costs(graph, request);
  const auto search = [&](const PlanRequest& one) {
    return Search(graph, one, backend, lowerings, costs).run();
  };
  const auto search_training = [&](const PlanRequest& one) {
    return one.may_shrink_batch ? search_batch(graph, one, backend, lowerings, costs, search) : search(one);
  };
  const bool may_evaluate_in_parts = request.may_shrink || request.may_shrink_batch;
  if (!request.evaluate || request.evaluate_batch == 1 || !may_evaluate_in_parts)
    return search_training(request);
  return search_evaluation(graph, request, backend, lowerings, search_training);
}

}  // namespace convoy
