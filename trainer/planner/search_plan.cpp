#include "trainer/planner/search_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <compare>
#include <map>
#include <optional>

#include "layers/core/bytes.h"
#include "trainer/planner/arena_bound.h"
#include "trainer/planner/cost_model.h"
#include "trainer/planner/inference_plan.h"
#include "trainer/planner/lean_passes.h"
#include "trainer/planner/recompute_sets.h"
#include "trainer/planner/search_batch.h"
#include "trainer/planner/search_evaluation.h"

namespace convoy {
namespace {

/// What a way to run costs. Candidates are told apart by the first difference. The same whatever the limit
/// is, so that a lower limit never gives a higher peak.
struct Cost {
  std::int64_t level = 0;  ///< of the seconds, in steps of kAboutEqual
  unsigned words = 0;      ///< bit i: does what the i-th word of PlanRequest::order stands for
  double seconds = 0;
  friend auto operator<=>(const Cost&, const Cost&) = default;
};
constexpr double kAboutEqual = 1.02;

/// Of the exact search, for asking whether something fits: mostly it is found at once or not at all, and many
/// are asked. Only what would be refused is laid out with more effort, and of that the few ways whose lower
/// bounds are the least: always the same ones with the same effort, so that the least limit that a refusal
/// names is found again under that limit.
constexpr std::int64_t kQuickEffort = LayoutOptions::kSecond / 200;
constexpr std::int64_t kMoreEffort = LayoutOptions::kSecond / 50;
constexpr std::size_t kMostWithMoreEffort = 3;

/// Of the arena of a plan that fits: the exact search is not worth its time for less.
constexpr double kNearlyTight = 0.005;

/// Times that the size of micro-batches is guessed before the span that is left is halved.
constexpr int kGuesses = 4;

/// A Way but for its micro-batch.
struct Choice {
  DType precision = DType::f32;
  std::int64_t workspace_bytes = 0;
  bool sharded = false;
  std::size_t set = 0;  ///< of what is recomputed
  Cost cost;            ///< with micro-batches as asked
};

/// What the arena of a way to run takes, by a layout that was made with little effort.
struct LaidOut {
  Choice choice;
  std::int64_t micro_batch = 0;
  std::int64_t bytes = 0;        ///< 0: there is no layout yet
  std::int64_t lower_bound = 0;  ///< no layout has fewer
};

class Search {
 public:
  /// `costs` are those of the graph on such devices, whatever the batch.
  Search(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
         const CostModel& costs)
      : graph_(graph), request_(request), backend_(backend), lowerings_(lowerings), costs_(costs) {
    sets_ = {{"nothing", request.recompute}};
    LayoutOptions as_asked;
    as_asked.available = available();
    asked_ = make_plan(graph, request, backend, &lowerings_, as_asked);
    share_ = request.training ? share_of(request) : asked_.micro_batch;
    keeps_statistics_ = request.training && has_batch_norm(graph);
    const std::int64_t together = request.shared_statistics ? request.ranks : 1;
    const std::int64_t floor = (request.statistics_batch + together - 1) / together;
    least_ = std::min(asked_.micro_batch, keeps_statistics_ ? std::max<std::int64_t>(floor, 1) : 1);
  }

  Plan run() {
    list_choices();
    Plan found = search();
    found.alternatives = std::move(tried_);
    if (request_.find_smallest && found.smallest_limit_bytes == 0)
      found.smallest_limit_bytes = least_bytes() + found.projected_bytes() - found.arena_bytes();
    found.half_would_fit = !found.fits() && would_fit_in_half(found);
    return found;
  }

 private:
  /// All that the request allows, the least cost first; the one that is asked for stands before its equals.
  void list_choices() {
    if (request_.may_recompute && request_.training) {
      sets_ = recompute_sets(graph_);
      sets_[0].layers = request_.recompute;
    }
    precisions_ = {request_.precision};
    if (request_.may_halve_precision && request_.precision == DType::f32 && asked_.half_type != DType::f32)
      precisions_.push_back(asked_.half_type);
    workspaces_ = {request_.workspace_bytes};
    if (request_.may_shrink_workspace) {
      // Without a cap, less than the most that a kernel takes.
      const std::int64_t most = asked_.workspace_bytes;
      for (const std::int64_t less : {most / 4, most / 16, std::int64_t{0}}) {
        if (less < std::min(most, workspaces_.back())) workspaces_.push_back(less);
      }
    }
    shardings_ = {request_.shard_optimizer};
    if (request_.may_shard_optimizer && offers("shard_optimizer")) shardings_.push_back(true);
    for (const DType precision : precisions_) {
      for (const std::int64_t bytes : workspaces_) {
        for (const bool sharded : shardings_) {
          for (std::size_t set = 0; set < sets_.size(); ++set) {
            Choice& choice = choices_.emplace_back(Choice{precision, bytes, sharded, set, {}});
            choice.cost = cost(choice, asked_.micro_batch);
          }
        }
      }
    }
    std::stable_sort(choices_.begin(), choices_.end(),
                     [](const Choice& a, const Choice& b) { return a.cost < b.cost; });
  }

  Plan search() {
    if (asked_.fits()) {
      Plan plan = asked_;
      for (const char* name :
           {"half_precision", "workspace", "shard_optimizer", "recompute", "micro_batch"}) {
        if (offers(name)) plan.actions.push_back({name, false, 0, 1, "not needed"});
      }
      return plan;
    }
    for (const Choice& choice : choices_) {
      if (!may_fit(choice, asked_.micro_batch) || !fits(choice, asked_.micro_batch)) continue;
      consider(choice, asked_.micro_batch);
      break;
    }
    if (request_.may_shrink && !(keeps_statistics_ && best_)) {
      for (const Choice& choice : choices_) {
        if (best_ && choice.cost >= best_cost_) break;
        if (const std::int64_t size = largest_that_fits(choice); size > 0) consider(choice, size);
      }
    }
    if (!best_) try_harder();
    return best_ ? finish() : smallest();
  }

  /// What the device does not have is not worth telling.
  bool offers(const std::string& action) const {
    if (action == "half_precision") return request_.precision == DType::f32 && asked_.half_type != DType::f32;
    if (action == "shard_optimizer")
      return request_.training && request_.ranks > 1 && !request_.shard_optimizer;
    return action != "workspace" || asked_.workspace_bytes > 0;
  }

  Way way(const Choice& choice, std::int64_t micro_batch) const {
    return {choice.precision, choice.workspace_bytes, sets_[choice.set].layers, micro_batch,
            choice.sharded ? request_.ranks : 1};
  }
  double seconds(const Choice& choice, std::int64_t micro_batch) const {
    return costs_.cost(way(choice, micro_batch), request_.ranks, share_of(request_)).total;
  }

  Cost cost(const Choice& choice, std::int64_t micro_batch) const {
    Cost its{0, 0, seconds(choice, micro_batch)};
    its.level = static_cast<std::int64_t>(std::floor(std::log(its.seconds) / std::log(kAboutEqual)));
    const auto count = [&](const char* word, bool does) {
      const auto place =
          std::find(request_.order.begin(), request_.order.end(), word) - request_.order.begin();
      if (does && place < std::min<std::ptrdiff_t>(std::ssize(request_.order), 32)) its.words |= 1U << place;
    };
    count("half_precision", choice.precision != request_.precision);
    count("workspace", choice.workspace_bytes != request_.workspace_bytes);
    count("shard_optimizer", choice.sharded != request_.shard_optimizer);
    count("recompute", choice.set != 0);
    count("micro_batch", micro_batch < asked_.micro_batch);
    return its;
  }

  Plan plan(const Choice& choice, std::int64_t micro_batch, const LayoutOptions& layout) {
    return make_plan(graph_, request_for(choice, micro_batch), backend_, &lowerings_, layout);
  }

  PlanRequest request_for(const Choice& choice, std::int64_t micro_batch) const {
    PlanRequest request = request_;
    request.precision = choice.precision;
    request.workspace_bytes = choice.workspace_bytes;
    request.recompute = sets_[choice.set].layers;
    request.shard_optimizer = choice.sharded;
    if (micro_batch < asked_.micro_batch) request.micro_batch = micro_batch;
    return request;
  }

  /// Not laid out yet.
  LaidOut bound(const Choice& choice, std::int64_t micro_batch) {
    return {choice, micro_batch, 0,
            arena_lower_bound(graph_, request_for(choice, micro_batch), backend_, &lowerings_)};
  }

  /// Bytes that the limit leaves for the arena.
  std::int64_t available() const {
    return std::max<std::int64_t>(request_.limit_bytes - request_.beside_bytes(), 1);
  }
  /// Looks for a layout within the limit, and no further.
  LayoutOptions quick() const { return {.effort = kQuickEffort, .enough = available()}; }
  static LayoutOptions nearly_tight() { return {.effort = kQuickEffort, .tolerated = kNearlyTight}; }

  /// The bytes of a tight layout of all, evaluation too.
  std::int64_t most_alive(const Choice& choice, std::int64_t micro_batch) {
    const auto alive =
        bytes_alive(program_of(graph_, request_for(choice, micro_batch), backend_, &lowerings_));
    return *std::max_element(alive.begin(), alive.end());
  }

  std::string text_of(const Choice& choice, std::int64_t micro_batch) const {
    std::string text = fmt::format("micro-batches of {}", micro_batch);
    if (precisions_.size() > 1) text += fmt::format(", {}", name_of(choice.precision));
    if (workspaces_.size() > 1)
      text += fmt::format(", workspaces of {}", workspace_text(choice.workspace_bytes));
    if (choice.sharded != request_.shard_optimizer) text += ", optimizer sharded";
    return fmt::format("{}, recompute of {}", text, sets_[choice.set].name);
  }

  /// A choice with micro-batches of a size, without its cost.
  using Key = std::tuple<DType, std::int64_t, bool, std::size_t, std::int64_t>;
  static Key key_of(const Choice& choice, std::int64_t micro_batch) {
    return {choice.precision, choice.workspace_bytes, choice.sharded, choice.set, micro_batch};
  }

  bool fits(const Choice& choice, std::int64_t micro_batch) {
    const Key key = key_of(choice, micro_batch);
    if (const auto known = found_.find(key); known != found_.end()) return known->second.fits;
    LaidOut way = bound(choice, micro_batch);
    const bool may = way.lower_bound <= available();
    if (may) way.bytes = plan(choice, micro_batch, quick()).arena_bytes();
    const std::int64_t beside = asked_.projected_bytes() - asked_.arena_bytes();
    const bool fits = may && way.bytes + beside <= request_.limit_bytes;
    tried_.push_back(
        {text_of(choice, micro_batch), (may ? way.bytes : way.lower_bound) + beside,
         seconds(choice, micro_batch) /
             seconds(Choice{request_.precision, request_.workspace_bytes, request_.shard_optimizer, 0, {}},
                     asked_.micro_batch),
         fits});
    laid_out_.push_back(way);
    found_[key] = {fits, may ? way.bytes : way.lower_bound};
    return fits;
  }

  /// Lays out once more what a better layout may bring below the limit.
  void try_harder() {
    for (const LaidOut& way : most_promising(laid_out_)) {
      if (best_ || way.lower_bound > available()) break;
      if (plan(way.choice, way.micro_batch, more_effort()).fits()) consider(way.choice, way.micro_batch);
    }
  }

  /// False when not even the least workspace makes it fit: asked once for all sizes of workspace.
  bool may_fit(const Choice& choice, std::int64_t micro_batch) {
    return fits({choice.precision, workspaces_.back(), choice.sharded, choice.set, {}}, micro_batch);
  }

  /// The size of micro-batches; 0 when none fits that takes less time than the best so far.
  std::int64_t largest_that_fits(const Choice& choice) {
    // As few micro-batches as will do, of one size but for one sample.
    std::int64_t bad = (share_ + asked_.micro_batch - 1) / asked_.micro_batch;
    std::int64_t good = most_worth_trying(choice, bad);
    if (!may_fit(choice, size_of(good)) || !fits(choice, size_of(good))) return 0;
    for (int probes = 0; good - bad > 1; ++probes) {
      const std::int64_t next = probes < kGuesses ? guess(choice, bad, good) : bad + (good - bad) / 2;
      (fits(choice, size_of(next)) ? good : bad) = next;
    }
    return size_of(good);
  }

  /// The fewest micro-batches that may fit, if bytes are linear in their size, between `bad` which do not and
  /// `good` which do.
  std::int64_t guess(const Choice& choice, std::int64_t bad, std::int64_t good) const {
    const auto fitting = found_.find(key_of(choice, size_of(good)));
    auto large = found_.find(key_of(choice, size_of(bad)));
    Choice least = choice;
    least.workspace_bytes = workspaces_.back();
    if (large == found_.end()) large = found_.find(key_of(least, size_of(bad)));
    if (fitting == found_.end() || large == found_.end()) return bad + (good - bad) / 2;
    const auto bytes = [](const auto& found) { return static_cast<double>(found->second.bytes); };
    const double span = bytes(large) - bytes(fitting);
    const double part = span > 0 ? (static_cast<double>(available()) - bytes(fitting)) / span : 0.5;
    const double size = static_cast<double>(size_of(good)) +
                        std::clamp(part, 0.0, 1.0) * static_cast<double>(size_of(bad) - size_of(good));
    return std::clamp(static_cast<std::int64_t>(std::ceil(static_cast<double>(share_) / size)), bad + 1,
                      good - 1);
  }

  /// The more micro-batches, the longer a step takes: the most with which the choice is still better than the
  /// best so far. It is with `few`.
  std::int64_t most_worth_trying(const Choice& choice, std::int64_t few) const {
    const auto better = [&](std::int64_t parts) {
      return !best_ || cost(choice, size_of(parts)) < best_cost_;
    };
    std::int64_t many = most_parts();
    if (better(many)) return many;
    while (many - few > 1) {
      const std::int64_t middle = few + (many - few) / 2;
      (better(middle) ? few : many) = middle;
    }
    return few;
  }

  std::int64_t most_parts() const {
    return request_.may_shrink ? std::max<std::int64_t>(share_ / least_, 1)
                               : (share_ + asked_.micro_batch - 1) / asked_.micro_batch;
  }
  std::int64_t size_of(std::int64_t micro_batches) const {
    return (share_ + micro_batches - 1) / micro_batches;
  }

  void consider(const Choice& choice, std::int64_t micro_batch) {
    const Cost its = cost(choice, micro_batch);
    if (best_ && its >= best_cost_) return;
    best_ = choice;
    best_size_ = micro_batch;
    best_cost_ = its;
  }

  /// The plan of the best choice, and what each of its changes saved, one upon the other.
  Plan finish() {
    Plan taken = plan(*best_, best_size_, nearly_tight());
    if (!taken.fits()) taken = plan(*best_, best_size_, more_effort());
    if (!taken.fits()) taken = plan(*best_, best_size_, quick());  // spent its effort on another piece
    std::vector<PlanAction> actions;
    Choice now{request_.precision, request_.workspace_bytes, request_.shard_optimizer, 0, {}};
    std::int64_t size = asked_.micro_batch;
    std::int64_t bytes = asked_.layout.lower_bound;  // it may have been laid out with little effort
    const auto change = [&](const char* name, bool allowed, bool taking, const Choice& next,
                            std::int64_t next_size, const std::string& what) {
      if (!offers(name)) return;
      if (!taking) {
        actions.push_back(
            {name, false, 0, 1, allowed ? "costs more time than what was done" : "memory.allow forbids it"});
        return;
      }
      const double before = seconds(now, size);
      now = next;
      size = next_size;
      const bool last = now.precision == best_->precision && now.workspace_bytes == best_->workspace_bytes &&
                        now.set == best_->set && size == best_size_;
      const std::int64_t left = last ? taken.arena_bytes() : most_alive(now, size);
      actions.push_back({name, true, bytes - left, seconds(now, size) / before, what});
      bytes = left;
    };
    Choice next = now;
    next.precision = best_->precision;
    change("half_precision", request_.may_halve_precision, next.precision != request_.precision, next, size,
           fmt::format("{} in place of {}", name_of(best_->precision), name_of(request_.precision)));
    next.workspace_bytes = best_->workspace_bytes;
    change("workspace", request_.may_shrink_workspace, next.workspace_bytes != request_.workspace_bytes, next,
           size,
           fmt::format("{} in place of {}", workspace_text(best_->workspace_bytes),
                       workspace_text(request_.workspace_bytes)));
    next.sharded = best_->sharded;
    change("shard_optimizer", request_.may_shard_optimizer, next.sharded != request_.shard_optimizer, next,
           size, fmt::format("its state over {} ranks", request_.ranks));
    next.set = best_->set;
    change("recompute", request_.may_recompute, best_->set != 0, next, size, sets_[best_->set].name);
    change("micro_batch", request_.may_shrink, best_size_ < asked_.micro_batch, next, best_size_,
           fmt::format("{} in place of {}{}", taken.micro_batch, asked_.micro_batch,
                       keeps_statistics_ ? ", batch norm's statistics too" : ""));
    taken.actions = std::move(actions);
    return taken;
  }

  /// Of the arena, with all that is allowed done to the utmost. Micro-batches add up gradients that one batch
  /// alone need not keep, so neither the smallest ones nor none must be the least.
  std::int64_t least_bytes() {
    std::vector<LaidOut> ways;
    for (const DType precision : precisions_) {
      for (std::size_t set = 0; set < sets_.size(); ++set) {
        const Choice choice{precision, workspaces_.back(), shardings_.back(), set, {}};
        for (const std::int64_t size : {asked_.micro_batch, size_of(most_parts())}) {
          ways.push_back(bound(choice, size));
        }
      }
    }
    return std::min(least_of(std::move(ways)).bytes, asked_.arena_bytes());
  }

  /// The least of these ways. Layouts, and effort for them, are only for those whose lower bound is below
  /// what others reach.
  LaidOut least_of(std::vector<LaidOut> ways) {
    std::stable_sort(ways.begin(), ways.end(),
                     [](const LaidOut& a, const LaidOut& b) { return a.lower_bound < b.lower_bound; });
    LaidOut least;
    for (LaidOut& way : ways) {
      if (least.bytes > 0 && way.lower_bound >= least.bytes) break;
      if (way.bytes == 0) way.bytes = plan(way.choice, way.micro_batch, first_fit()).arena_bytes();
      if (least.bytes == 0 || way.bytes < least.bytes) least = way;
    }
    for (LaidOut way : most_promising(std::move(ways))) {
      if (way.lower_bound >= least.bytes) break;
      way.bytes = plan(way.choice, way.micro_batch, more_effort()).arena_bytes();
      if (way.bytes < least.bytes) least = way;
    }
    return least;
  }

  /// Those that more effort goes into.
  static std::vector<LaidOut> most_promising(std::vector<LaidOut> ways) {
    std::erase_if(ways, [](const LaidOut& way) { return way.bytes == way.lower_bound; });
    std::stable_sort(ways.begin(), ways.end(),
                     [](const LaidOut& a, const LaidOut& b) { return a.lower_bound < b.lower_bound; });
    ways.resize(std::min(ways.size(), kMostWithMoreEffort));
    return ways;
  }
  static LayoutOptions more_effort() { return {.effort = kMoreEffort}; }
  static LayoutOptions first_fit() { return {.effort = 0}; }

  /// Whether it is worth advising half precision for a plan that does not fit.
  bool would_fit_in_half(const Plan& refused) {
    if (request_.may_halve_precision || !offers("half_precision")) return false;
    PlanRequest request = refused.request;
    request.precision = asked_.half_type;
    return make_plan(graph_, request, backend_, &lowerings_).fits();
  }

  Plan smallest() {
    const LaidOut least = least_of(std::move(laid_out_));
    Plan taken = plan(least.choice, least.micro_batch, more_effort());
    taken.smallest_limit_bytes = taken.projected_bytes();
    return taken;
  }

  const Graph& graph_;
  const PlanRequest& request_;
  Backend& backend_;
  Lowerings& lowerings_;
  const CostModel& costs_;
  Plan asked_;
  std::int64_t share_ = 1;  ///< samples of the busiest rank
  std::int64_t least_ = 1;
  bool keeps_statistics_ = false;
  std::vector<RecomputeSet> sets_;
  std::vector<DType> precisions_;
  std::vector<std::int64_t> workspaces_;  ///< falling
  std::vector<bool> shardings_;
  std::vector<Choice> choices_;
  struct Found {
    bool fits = false;
    std::int64_t bytes = 0;  ///< of the arena: laid out, or the lower bound of what cannot fit
  };
  std::map<Key, Found> found_;
  std::vector<PlanAlternative> tried_;
  std::optional<Choice> best_;
  std::int64_t best_size_ = 0;
  Cost best_cost_;
  std::vector<LaidOut> laid_out_;  ///< all that was asked whether it fits
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
  if (!request.evaluate || request.evaluate_batch < 2 || !may_evaluate_in_parts)
    return search_training(request);
  return search_evaluation(graph, request, backend, lowerings, search_training);
}

}  // namespace convoy
