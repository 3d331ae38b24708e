#pragma once

#include <functional>

#include "trainer/planner/cost_model.h"
#include "trainer/planner/plan.h"

namespace convoy {

/// The last resort, where the request allows it: a smaller global batch, and the learning rate with it
/// (Plan::learning_rate_factor). What `search` gives for the batch that is asked for, where that fits.
/// Otherwise the largest share of samples a rank, found by bisection, with which `search` finds a plan that
/// fits; the batch is that share times the ranks. Smaller batches help where a rank's share may not be cut
/// into smaller micro-batches: by memory.allow, or since batch norm's statistics would be of fewer than
/// PlanRequest::statistics_batch samples, which a smaller share then makes them all the same. A run that
/// began with a smaller batch (PlanRequest::kept_batch) keeps it, also where a larger one would fit now.
/// Where nothing fits, the plan that takes the least. `costs` tells the time of a step, whatever the batch.
Plan search_batch(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
                  const CostModel& costs, const std::function<Plan(const PlanRequest&)>& search);

}  // namespace convoy
