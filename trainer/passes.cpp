#include "trainer/passes.h"

#include <algorithm>

namespace convoy {

void run_passes(Executor& executor, const Batch& batch, StepContext& context) {
  const Plan& plan = executor.plan();
  const std::vector<std::int64_t> sizes =
      micro_batches_of(plan.request, plan.micro_batch, batch.global_samples, batch.count);
  const std::int64_t bytes = executor.graph().input().elements();
  if (batch.count == 0) executor.clear_iteration(context.keeps_metrics);
  // Full batches are all alike, on every rank, unless the rank that has least has none in some pass: what it
  // takes part in then is not recorded, and NCCL wants a collective recorded on all ranks or on none.
  const std::int64_t full = std::min(plan.request.batch, plan.request.samples);
  const bool repeats =
      batch.global_samples == full &&
      micro_batches_of(plan.request, plan.micro_batch, full, full / plan.request.ranks).back() > 0;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::int64_t size = sizes[i];
    const bool last = i + 1 == sizes.size();
    if (size == 0) {
      executor.run_without_samples(context, last);
      continue;
    }
    const Segment& segment = *plan.program.find(SegmentKind::train, size);
    context.first_pass = i == 0;
    context.first_sample = batch.first + offset;
    context.valid_samples = size;
    const SecondLabel* second = batch.second_labels.empty() ? nullptr : batch.second_labels.data() + offset;
    executor.load(segment, batch.pixels.data() + offset * bytes, batch.labels.data() + offset, size, second);
    executor.run(segment, context, last, repeats ? static_cast<int>(i) : -1);
    offset += size;
  }
}

}  // namespace convoy
