#pragma once

#include <cstdint>

#include "layers/core/shape.h"
#include "trainer/job.h"
#include "trainer/planner/plan.h"

namespace convoy {

/// Fills in PlanRequest::loader_bytes, the bound of the host memory that the loaders of one rank take for
/// what is planned (batches of pixels that wait to be taken, and what the threads need to decode; training
/// keeps its loader while another one feeds an evaluation), and what of it an evaluated image takes.
void count_loader(const Job& job, Shape input, PlanRequest& request);

}  // namespace convoy
