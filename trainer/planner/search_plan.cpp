#include "trainer/planner/search_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "trainer/planner/recompute_sets.h"

namespace convoy {
namespace {

/// What each micro-batch costs beside its samples: starting its kernels, and going over all gradients once
/// more.
constexpr double kStepSeconds = 5e-6;

bool has_batch_norm(const Graph& graph) {
  return std::any_of(graph.layers().begin(), graph.layers().end(),
                     [](const Layer& layer) { return std::holds_alternative<BatchNorm>(layer.op); });
}

class Search {
 public:
  Search(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings)
      : graph_(graph), request_(request), backend_(backend), lowerings_(lowerings), asked_(plan(0, {})) {
    share_ = request.training ? share_of(request) : asked_.micro_batch;
    const bool floored = request.training && has_batch_norm(graph);
    least_ = std::min(asked_.micro_batch, floored ? std::max<std::int64_t>(request.statistics_batch, 1) : 1);
    keeps_statistics_ = floored;
  }

  Plan run() {
    if (request_.may_recompute && request_.training) {
      sets_ = recompute_sets(graph_);
    } else {
      sets_ = {{"nothing", {}}};
    }
    Plan found = search();
    if (request_.find_smallest && found.smallest_limit_bytes == 0) {
      for (const RecomputeSet& set : sets_) fits(set, size_of(most_parts()));
      found.smallest_limit_bytes = smallest().arena_bytes();
    }
    return found;
  }

 private:
  Plan search() {
    if (asked_.fits()) {
      Plan plan = asked_;
      plan.actions = {{"recompute", false, 0, 1, "not needed"}, {"micro_batch", false, 0, 1, "not needed"}};
      return plan;
    }
    for (const RecomputeSet& set : sets_) {
      if (fits(set, asked_.micro_batch)) consider(set, asked_.micro_batch);
    }
    if (request_.may_shrink && !(keeps_statistics_ && best_)) {
      for (const RecomputeSet& set : sets_) {
        if (const std::int64_t size = largest_that_fits(set); size > 0) consider(set, size);
      }
    }
    return best_ ? finish() : smallest();
  }

  Plan plan(std::int64_t micro_batch, const std::vector<int>& recompute, bool exact = true) {
    PlanRequest request = request_;
    if (micro_batch > 0) request.micro_batch = micro_batch;
    if (!recompute.empty()) request.recompute = recompute;
    LayoutOptions options;
    if (!exact) options.enough = request_.limit_bytes;
    return make_plan(graph_, request, backend_, &lowerings_, options);
  }

  bool fits(const RecomputeSet& set, std::int64_t micro_batch) {
    const Plan candidate = plan(micro_batch, set.layers, false);
    if (least_bytes_ == 0 || candidate.arena_bytes() < least_bytes_) {
      least_bytes_ = candidate.arena_bytes();
      least_set_ = set;
      least_size_ = micro_batch;
    }
    return candidate.fits();
  }

  /// The size of micro-batches, or 0 when not even the least fits.
  std::int64_t largest_that_fits(const RecomputeSet& set) {
    if (!fits(set, size_of(most_parts()))) return 0;
    // As few micro-batches as will do, of one size but for one sample.
    std::int64_t bad = (share_ + asked_.micro_batch - 1) / asked_.micro_batch;
    std::int64_t good = most_parts();
    while (good - bad > 1) {
      const std::int64_t middle = bad + (good - bad) / 2;
      (fits(set, size_of(middle)) ? good : bad) = middle;
    }
    return size_of(good);
  }

  std::int64_t most_parts() const {
    return request_.may_shrink ? std::max<std::int64_t>(share_ / least_, 1)
                               : (share_ + asked_.micro_batch - 1) / asked_.micro_batch;
  }
  std::int64_t size_of(std::int64_t micro_batches) const {
    return (share_ + micro_batches - 1) / micro_batches;
  }

  /// Seconds of a step by the rough model.
  double seconds(const RecomputeSet& set, std::int64_t micro_batch) const {
    double forward = 0;
    double again = 0;
    for (int i = 0; i < static_cast<int>(graph_.layers().size()); ++i) forward += forward_seconds(graph_, i);
    for (const int i : set.layers) again += forward_seconds(graph_, i);
    const double parts = static_cast<double>((share_ + micro_batch - 1) / micro_batch);
    const double each = kStepSeconds * static_cast<double>(graph_.layers().size()) +
                        12 * static_cast<double>(graph_.parameters_training()) / kBytesPerSecond;
    return static_cast<double>(share_) * (3 * forward + again) + parts * each;
  }

  void consider(const RecomputeSet& set, std::int64_t micro_batch) {
    const double cost = seconds(set, micro_batch);
    if (best_ && cost >= best_seconds_) return;
    best_ = set;
    best_size_ = micro_batch;
    best_seconds_ = cost;
  }

  Plan finish() {
    Plan taken = plan(best_size_, best_->layers);
    const double before = seconds({}, asked_.micro_batch);
    const bool recomputes = !best_->layers.empty();
    const bool shrinks = best_size_ < asked_.micro_batch;
    const std::int64_t between =
        recomputes ? plan(asked_.micro_batch, best_->layers).arena_bytes() : asked_.arena_bytes();
    const auto why_not = [](bool allowed) {
      return std::string(allowed ? "costs more time than what was done" : "memory.allow forbids it");
    };
    taken.actions.push_back({"recompute", recomputes, asked_.arena_bytes() - between,
                             seconds(*best_, asked_.micro_batch) / before,
                             recomputes ? best_->name : why_not(request_.may_recompute)});
    taken.actions.push_back({"micro_batch", shrinks, between - taken.arena_bytes(),
                             best_seconds_ / seconds(*best_, asked_.micro_batch),
                             shrinks
                                 ? fmt::format("{} in place of {}{}", taken.micro_batch, asked_.micro_batch,
                                               keeps_statistics_ ? ", batch norm's statistics too" : "")
                                 : why_not(request_.may_shrink)});
    return taken;
  }

  Plan smallest() {
    Plan taken = plan(least_size_, least_set_.layers);
    taken.smallest_limit_bytes = taken.arena_bytes();
    return taken;
  }

  const Graph& graph_;
  const PlanRequest& request_;
  Backend& backend_;
  Lowerings& lowerings_;
  Plan asked_;
  std::int64_t share_ = 1;  ///< samples of the busiest rank
  std::int64_t least_ = 1;
  bool keeps_statistics_ = false;
  std::vector<RecomputeSet> sets_;
  std::optional<RecomputeSet> best_;
  std::int64_t best_size_ = 0;
  double best_seconds_ = 0;
  RecomputeSet least_set_;
  std::int64_t least_size_ = 0;
  std::int64_t least_bytes_ = 0;
};

}  // namespace

Plan search_plan(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings* known) {
  Lowerings own;
  return Search(graph, request, backend, known == nullptr ? own : *known).run();
}

}  // namespace convoy
