#include "trainer/planner/overlap.h"

#include <algorithm>
#include <vector>

namespace convoy {

double step_end(std::span<const BucketCost> buckets, double backward) {
  double stream = 0;
  std::vector<double> reduced;
  for (const BucketCost& bucket : buckets) {
    stream = std::max(stream, bucket.ready) + bucket.reduce;
    reduced.push_back(stream);
  }
  double compute = backward;
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    compute = std::max(compute, reduced[b]) + buckets[b].update;
    if (buckets[b].gather > 0) stream = std::max(stream, compute) + buckets[b].gather;
  }
  return std::max(compute, stream);
}

}  // namespace convoy
