#pragma once

#include "trainer/planner/plan.h"

namespace convoy {

/// The plan as it is asked for where that fits its limit, but for the passes of find_lean_passes, which run
/// with little scratch whatever the limit is. Otherwise, of the changes that the request allows
/// (half precision, smaller workspaces, a sharded optimizer, recompute, smaller micro-batches with gradient
/// accumulation) and that make it fit, those that cost the least time by a rough model; where nothing fits,
/// the plan that takes the least. Where times are within 2%, PlanRequest::order decides. Half precision
/// rounds differently; the others do not alter the mathematics, but for batch norm, whose statistics are
/// those of a micro-batch: there micro-batches shrink only when nothing else does, and not below
/// PlanRequest::statistics_batch. Less scratch means other algorithms, which round otherwise. A smaller
/// global batch, which is another training, comes after all of these (search_batch); smaller batches of
/// evaluation, which change no result, before (search_evaluation). A pure function of its arguments: the same
/// on every rank. What was lowered on the way is added to `known`.
Plan search_plan(const Graph& graph, const PlanRequest& asked, Backend& backend, Lowerings* known = nullptr);

}  // namespace convoy
