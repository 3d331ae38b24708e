#pragma once

#include "trainer/planner/plan.h"

namespace convoy {

/// Passes whose scratch makes the peak of a training, and that had better do with little of it, where a
/// backend lets kernels take what they like (PlanRequest::workspace_bytes is kAnyWorkspace): mostly
/// Winograd's algorithm for a gradient of weights. Empty otherwise, and for an evaluation.
///
/// Worthwhile is what lowers the bytes alive at the peak by 2% or more, and by more than the share of a
/// step's time that it costs by the model (cost_model.h); of several such sets the one for which the
/// difference is the largest. It is found by a Program with these passes, not by what they promise.
///
/// The answer is that of the training as it is asked for: without a limit, recompute, a sharded optimizer or
/// evaluation. So it does not change when the planner takes one of these, which therefore leave the bits of a
/// run what they are.
LeanPasses find_lean_passes(const Graph& graph, const PlanRequest& request, Backend& backend,
                            Lowerings& lowerings);

}  // namespace convoy
