#pragma once

#include "trainer/data/loader.h"
#include "trainer/executor.h"

namespace convoy {

/// Forward and backward of one rank's part of a batch, one micro-batch after another; in the last one the
/// reductions of the gradients start. A rank without samples gives zeros. `context` holds the seed, the
/// iteration and the weight of a sample; the rest is set here.
void run_passes(Executor& executor, const Batch& batch, StepContext& context);

}  // namespace convoy
