#pragma once

#include <cstdint>
#include <vector>

#include "trainer/planner/plan.h"

namespace convoy {

/// The Program that make_plan would lay out.
Program program_of(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings* known);

/// Bytes of the tensors that are alive at each step of a Program, aligned.
std::vector<std::int64_t> bytes_alive(const Program& program);

/// What no layout of the arena that make_plan would plan is below: the largest sum of bytes alive at one
/// step, in training of those with the largest micro-batch, which nearly always is the largest of all. Takes
/// a fraction of the time of a plan.
std::int64_t arena_lower_bound(const Graph& graph, const PlanRequest& request, Backend& backend,
                               Lowerings* known);

}  // namespace convoy
