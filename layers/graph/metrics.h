#pragma once

namespace convoy {

/// What the losses add up over the micro-batches of an iteration; all but `loss` is of the main one.
struct Metrics {
  double loss = 0;  ///< sum over samples; in training that of all losses by their weights
  double top1 = 0;  ///< samples whose label has the highest score
  double top5 = 0;  ///< samples whose label is among the five highest scores
  double samples = 0;
};

}  // namespace convoy
