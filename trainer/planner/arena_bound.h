#pragma once

#include "trainer/planner/plan.h"

namespace convoy {

/// What no layout of the arena that make_plan would plan is below: the largest sum of bytes alive at one
/// step. Takes a fraction of the time of a layout.
std::int64_t arena_lower_bound(const Graph& graph, const PlanRequest& request, Backend& backend,
                               Lowerings* known);

}  // namespace convoy
