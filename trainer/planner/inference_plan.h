#pragma once

#include "trainer/planner/plan.h"

namespace convoy {

/// Largest batch that Plan::largest_batch is looked for up to.
inline constexpr std::int64_t kMostInferenceBatch = 65536;

/// Batches that the data loader of an evaluation holds: one that is used, one that is filled.
inline constexpr std::int64_t kEvaluationAhead = 2;

/// Makes a request evaluate `size` samples at a time, which it did `before` at a time: its loader's batches
/// change with that.
void set_evaluate_batch(PlanRequest& request, std::int64_t before, std::int64_t size);

/// The plan of an evaluation (request.training is false), which keeps an activation no longer than until its
/// last reader has run. As asked where that fits. Where it does not and the request allows smaller
/// micro-batches, so many samples at a time as just fit: that changes no result. Only where not even one
/// does, what else is allowed: less workspace, then the half type. With `find_smallest` looks for
/// smallest_limit_bytes and largest_batch too.
Plan plan_inference(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings);

}  // namespace convoy
