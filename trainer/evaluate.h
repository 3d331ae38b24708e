#pragma once

#include "trainer/data/dataset.h"
#include "trainer/executor.h"

namespace convoy {

/// Mean loss and shares over a data set.
struct Evaluation {
  double loss = 0;
  double top1 = 0;
  double top5 = 0;
  std::int64_t samples = 0;
  double seconds = 0;
};

/// Runs the whole set once over all ranks, each sample counted once, whatever the counts.
Evaluation evaluate(Executor& executor, std::shared_ptr<const Dataset> set, Communicator& comm,
                    int loader_threads);

}  // namespace convoy
