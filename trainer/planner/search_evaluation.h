#pragma once

#include <functional>

#include "trainer/planner/plan.h"

namespace convoy {

/// Training whose evaluation may run in smaller batches than PlanRequest::evaluate_batch, since that changes
/// no result. What `search` gives for the request, where that fits and nothing was changed. Otherwise what it
/// gives for an evaluation of one sample at a time, so that training never makes room for evaluation, and of
/// that plan the largest batch of evaluation that fits. An evaluate_batch of 0 is as large as the micro-batch
/// of training where that fits, and else a wish for the one that training was asked for.
Plan search_evaluation(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
                       const std::function<Plan(const PlanRequest&)>& search);

}  // namespace convoy
