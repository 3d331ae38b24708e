#pragma once

#include <compare>
#include <string>
#include <tuple>
#include <vector>

#include "trainer/planner/cost_model.h"
#include "trainer/planner/plan.h"
#include "trainer/planner/recompute_sets.h"

namespace convoy {

/// What a way to run costs. Candidates are told apart by the first difference. The same whatever the limit
/// is, so that a lower limit never gives a higher peak.
struct SearchCost {
  std::int64_t level = 0;  ///< of the seconds, in steps of 2%: times within one are about equal
  unsigned words = 0;      ///< bit i: does what the i-th word of PlanRequest::order stands for
  double seconds = 0;
  friend auto operator<=>(const SearchCost&, const SearchCost&) = default;
};

/// A Way but for its micro-batch.
struct Choice {
  DType precision = DType::f32;
  std::int64_t workspace_bytes = 0;
  bool sharded = false;
  std::size_t set = 0;  ///< of what is recomputed: its place among SearchSpace's
  SearchCost cost;      ///< with micro-batches as asked

  /// All but the cost.
  auto key() const { return std::tuple(precision, workspace_bytes, sharded, set); }
};

/// All ways to run a training that a request allows, and what each costs.
class SearchSpace {
 public:
  /// `asked` is the plan of the request as it is, `costs` those of the graph on such devices, whatever the
  /// batch. Keeps references to `request` and `costs`.
  SearchSpace(const Graph& graph, const PlanRequest& request, const Plan& asked, const CostModel& costs);

  /// The least cost first; the one that is asked for stands before its equals.
  const std::vector<Choice>& choices() const { return choices_; }
  const std::vector<RecomputeSet>& sets() const { return sets_; }
  const std::vector<DType>& precisions() const { return precisions_; }
  Choice as_asked() const {
    return {request_.precision, request_.workspace_bytes, request_.shard_optimizer, 0, {}};
  }
  /// The choice with the least workspaces that are allowed.
  Choice with_least_workspace(Choice choice) const {
    choice.workspace_bytes = workspaces_.back();
    return choice;
  }
  /// That takes the fewest bytes of all with such precision and recompute.
  Choice leanest(DType precision, std::size_t set) const {
    return {precision, workspaces_.back(), shardings_.back(), set, {}};
  }

  /// Whether there is anything to change; what the device does not have is not worth telling.
  bool offers(const std::string& action) const;

  double seconds(const Choice& choice, std::int64_t micro_batch) const;
  SearchCost cost(const Choice& choice, std::int64_t micro_batch) const;
  PlanRequest request_for(const Choice& choice, std::int64_t micro_batch) const;
  /// "micro-batches of 16, recompute of the cheap layers"
  std::string text_of(const Choice& choice, std::int64_t micro_batch) const;

  // Sizes of micro-batches.
  std::int64_t asked_size() const { return asked_size_; }
  /// As many samples at a time as make so many micro-batches of a rank's share, of one size but for one
  /// sample.
  std::int64_t size_of(std::int64_t parts) const { return (share_ + parts - 1) / parts; }
  /// Micro-batches of the size that is asked for, and of the least that is allowed.
  std::int64_t fewest_parts() const { return (share_ + asked_size_ - 1) / asked_size_; }
  std::int64_t most_parts() const;
  std::int64_t share() const { return share_; }
  /// Whether the size of micro-batches alters the result: batch norm.
  bool keeps_statistics() const { return keeps_statistics_; }

 private:
  const PlanRequest& request_;
  const CostModel& costs_;
  DType half_type_;
  std::int64_t asked_size_;
  std::int64_t asked_workspace_;  ///< most that a kernel takes
  std::int64_t share_ = 1;        ///< samples of the busiest rank
  std::int64_t least_ = 1;
  bool keeps_statistics_ = false;
  std::vector<RecomputeSet> sets_;
  std::vector<DType> precisions_;
  std::vector<std::int64_t> workspaces_;  ///< falling
  std::vector<bool> shardings_;
  std::vector<Choice> choices_;
};

}  // namespace convoy
