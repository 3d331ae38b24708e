#pragma once

#include "trainer/planner/candidates.h"

namespace convoy {

/// What a plan for `choice`, `taken`, does otherwise than the one that was asked for, and what each of that
/// saved, one upon the other; and what it does not do, and why. `asked_bytes` are those of a tight layout of
/// what was asked for.
std::vector<PlanAction> actions_of(const Plan& taken, const Choice& choice, const PlanRequest& request,
                                   const SearchSpace& space, Candidates& candidates,
                                   std::int64_t asked_bytes);

/// The same where nothing needs to be done.
std::vector<PlanAction> no_actions(const SearchSpace& space);

}  // namespace convoy
