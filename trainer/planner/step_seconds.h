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
  int shards = 1;                ///< ranks among which the optimizer is divided; 1: each does all of it
};

/// CostModel::seconds, for one question alone.
double step_seconds(const Graph& graph, const PlanRequest& request, const Way& way);

}  // namespace convoy
