#pragma once

#include <atomic>

#include "trainer/confusion.h"
#include "trainer/data/augment.h"
#include "trainer/executor.h"

namespace convoy {

/// Mean loss and shares over a data set. Where each sample has ten views (Augmentation::ten_crops), its loss
/// is the mean of theirs, and it is counted right by the mean of their outputs (Krizhevsky et al. 2012,
/// section 4.1), as a map of predictions is by that over its positions.
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

/// Runs `samples` of `views` views each (H × W × C bytes, those of a sample together) through an evaluation
/// segment, as many at a time as it takes. Returns the means over the views of the main loss's output:
/// samples × positions × classes, as Executor::output. The losses of all views are added to the metrics.
std::vector<float> mean_of_views(Executor& executor, const Segment& segment, const std::uint8_t* pixels,
                                 std::span<const std::int32_t> labels, int views, StepContext context);

}  // namespace convoy
