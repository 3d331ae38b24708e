#pragma once

#include <cstdint>
#include <vector>

#include "trainer/planner/plan.h"

namespace convoy {

/// One way to run the training that a PlanRequest asks for.
struct Way {
  DType precision = DType::f32;
  std::int64_t workspace_bytes = 0;
  std::vector<int> recompute;    ///< layers, rising
  std::int64_t micro_batch = 0;  ///< samples at a time on a rank
  int shards = 1;                ///< ranks that divide the optimizer's state
};

/// Seconds of a full step on the busiest rank by a rough model: each layer's arithmetic or memory, forward
/// once and backward as much as twice forward; the forward passes made again; for each micro-batch the start
/// of its kernels and once over all gradients. Convolutions that have less workspace than the request allows
/// are slower, up to a quarter with none (an estimate). Where the optimizer's state is divided, the weights
/// that ranks give each other after the update (reductions hide behind backward, and count neither way), at a
/// tenth of the memory's bandwidth (an estimate). Only ratios mean something.
double step_seconds(const Graph& graph, const PlanRequest& request, const Way& way);

}  // namespace convoy
