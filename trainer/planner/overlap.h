#pragma once

#include <span>

namespace convoy {

/// Seconds of what happens to one bucket of gradients.
struct BucketCost {
  double ready = 0;   ///< when backward has finished it, from the start of the step
  double reduce = 0;  ///< of its all-reduce, or reduce-scatter
  double update = 0;  ///< of the optimizer over it
  double gather = 0;  ///< of its weights afterwards, where the optimizer is sharded
};

/// When a step ends whose passes end at `backward`: the buckets, in the order in which backward finishes
/// them, are reduced one after the other by one stream of communication, each when it is ready; then updated
/// one after the other by the compute stream, each when it is reduced; then gathered by the stream of
/// communication. That is what the Executor does.
double step_end(std::span<const BucketCost> buckets, double backward);

}  // namespace convoy
