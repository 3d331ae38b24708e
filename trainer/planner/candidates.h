#pragma once

#include <map>
#include <utility>
#include <vector>

#include "trainer/planner/search_space.h"

namespace convoy {

/// What the arena of a way to run takes, by a layout that was made with little effort.
struct LaidOut {
  Choice choice;
  std::int64_t micro_batch = 0;
  std::int64_t bytes = 0;        ///< 0: there is no layout yet
  std::int64_t lower_bound = 0;  ///< no layout has fewer
};

/// Asks of ways to run whether they fit, each once, with as little work as tells.
class Candidates {
 public:
  /// Keeps references to all but `asked`, the plan of the request as it is.
  Candidates(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
             const SearchSpace& space, const Plan& asked);

  bool fits(const Choice& choice, std::int64_t micro_batch);
  /// False when not even the least workspace makes it fit: asked once for all sizes of workspace.
  bool may_fit(const Choice& choice, std::int64_t micro_batch) {
    return fits(space_.with_least_workspace(choice), micro_batch);
  }
  /// Of the arena, of what fits() was asked for: laid out, or the lower bound of what cannot fit. 0: it was
  /// not.
  std::int64_t bytes_of(const Choice& choice, std::int64_t micro_batch) const;

  /// Those whose layout with more effort may fit, the lowest bound first.
  std::vector<LaidOut> nearly_fitting() const;
  /// Not laid out yet.
  LaidOut bound(const Choice& choice, std::int64_t micro_batch);
  /// The least of these ways. Layouts, and effort for them, are only for those whose lower bound is below
  /// what others reach.
  LaidOut least_of(std::vector<LaidOut> ways);
  /// The least of all that fits() was asked for.
  LaidOut least() { return least_of(all_); }

  /// The plan to run: laid out tightly, or as tightly as the limit demands.
  Plan final_plan(const Choice& choice, std::int64_t micro_batch);
  /// With the effort that goes into what would be refused.
  Plan plan_with_effort(const Choice& choice, std::int64_t micro_batch);
  /// The bytes of a tight layout of all, evaluation too.
  std::int64_t most_alive(const Choice& choice, std::int64_t micro_batch);

  /// What fits() was asked for, in that order.
  std::vector<PlanAlternative> take_alternatives() { return std::move(alternatives_); }

 private:
  struct Found {
    bool fits = false;
    std::int64_t bytes = 0;
  };
  using Key = std::pair<decltype(Choice{}.key()), std::int64_t>;

  Plan plan(const Choice& choice, std::int64_t micro_batch, const LayoutOptions& layout);
  LayoutOptions within_limit() const;

  const Graph& graph_;
  Backend& backend_;
  Lowerings& lowerings_;
  const SearchSpace& space_;
  std::int64_t available_;  ///< that the limit leaves for the arena
  std::int64_t beside_;     ///< that the job takes beside it
  double asked_seconds_;
  std::map<Key, Found> found_;
  std::vector<LaidOut> all_;
  std::vector<PlanAlternative> alternatives_;
};

}  // namespace convoy
