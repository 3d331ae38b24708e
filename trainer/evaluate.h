#pragma once

#include <atomic>

#include "trainer/confusion.h"
#include "trainer/data/augment.h"
#include "trainer/executor.h"

namespace convoy {

/// Mean loss and shares over a data set.
struct Evaluation {
  double loss = 0;
  double top1 = 0;
  double top5 = 0;
  std::int64_t samples = 0;
  double seconds = 0;
  bool stopped = false;  ///< a rank was asked to stop before it was through; the figures are of a part
};

/// Runs the whole set once over all ranks, each sample counted once, whatever the counts, and prepared as
/// `preparation` says (evaluation_augmentation of the job). `stop`, where given, is looked at before every
/// batch; all ranks learn when one of them stopped. `confusion`, where given, counts every sample, of all
/// ranks.
Evaluation evaluate(Executor& executor, std::shared_ptr<const Dataset> set, Communicator& comm,
                    const Augmentation& preparation, int loader_threads,
                    const std::atomic<bool>* stop = nullptr, Confusion* confusion = nullptr);

}  // namespace convoy
