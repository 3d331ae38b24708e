#include "trainer/planner/plan_actions.h"

#include <fmt/format.h>

namespace convoy {
namespace {

/// Goes from what was asked for to what is done, one change after the other.
class ActionList {
 public:
  ActionList(const Plan& taken, const Choice& choice, const SearchSpace& space, Candidates& candidates,
             std::int64_t asked_bytes)
      : taken_(taken),
        choice_(choice),
        space_(space),
        candidates_(candidates),
        now_(space.as_asked()),
        size_(space.asked_size()),
        bytes_(asked_bytes) {}

  /// A change to `next`, with micro-batches of `size`, if it is `taking` place.
  void change(const char* name, bool allowed, bool taking, const Choice& next, std::int64_t size,
              const std::string& what) {
    if (!space_.offers(name)) return;
    if (!taking) {
      actions_.push_back(
          {name, false, 0, 1, allowed ? "costs more time than what was done" : "memory.allow forbids it"});
      return;
    }
    const double before = space_.seconds(now_, size_);
    now_ = next;
    size_ = size;
    const bool last = now_.key() == choice_.key() && size_ == taken_.micro_batch;
    const std::int64_t left = last ? taken_.arena_bytes() : candidates_.most_alive(now_, size_);
    actions_.push_back({name, true, bytes_ - left, space_.seconds(now_, size_) / before, what});
    bytes_ = left;
  }

  std::vector<PlanAction> take() { return std::move(actions_); }

 private:
  const Plan& taken_;
  const Choice& choice_;
  const SearchSpace& space_;
  Candidates& candidates_;
  Choice now_;
  std::int64_t size_;
  std::int64_t bytes_;
  std::vector<PlanAction> actions_;
};

}  // namespace

std::vector<PlanAction> actions_of(const Plan& taken, const Choice& choice, const PlanRequest& request,
                                   const SearchSpace& space, Candidates& candidates,
                                   std::int64_t asked_bytes) {
  ActionList list(taken, choice, space, candidates, asked_bytes);
  const std::int64_t asked_size = space.asked_size();
  Choice next = space.as_asked();
  next.precision = choice.precision;
  list.change("half_precision", request.may_halve_precision, next.precision != request.precision, next,
              asked_size,
              fmt::format("{} in place of {}", name_of(choice.precision), name_of(request.precision)));
  next.workspace_bytes = choice.workspace_bytes;
  list.change("workspace", request.may_shrink_workspace, next.workspace_bytes != request.workspace_bytes,
              next, asked_size,
              fmt::format("{} in place of {}", workspace_text(choice.workspace_bytes),
                          workspace_text(request.workspace_bytes)));
  next.sharded = choice.sharded;
  list.change("shard_optimizer", request.may_shard_optimizer, next.sharded != request.shard_optimizer, next,
              asked_size, fmt::format("its state over {} ranks", request.ranks));
  next.set = choice.set;
  list.change("recompute", request.may_recompute, choice.set != 0, next, asked_size,
              space.sets()[choice.set].name);
  list.change("micro_batch", request.may_shrink, taken.micro_batch < asked_size, next, taken.micro_batch,
              fmt::format("{} in place of {}{}", taken.micro_batch, asked_size,
                          space.keeps_statistics() ? ", batch norm's statistics too" : ""));
  return list.take();
}

std::vector<PlanAction> no_actions(const SearchSpace& space) {
  std::vector<PlanAction> actions;
  for (const char* name : {"half_precision", "workspace", "shard_optimizer", "recompute", "micro_batch"}) {
    if (space.offers(name)) actions.push_back({name, false, 0, 1, "not needed"});
  }
  return actions;
}

}  // namespace convoy
