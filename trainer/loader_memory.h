#pragma once

#include <cstdint>

#include "layers/core/shape.h"
#include "trainer/job.h"
#include "trainer/planner/plan.h"

namespace convoy {

/// Bound of the host memory that the loaders of one rank take for what is planned: batches of pixels that
/// wait to be taken, and what the threads need to decode. Training keeps its loader while another one feeds
/// an evaluation.
std::int64_t loader_bytes(const Job& job, const PlanRequest& request, Shape input);

}  // namespace convoy
