#include "trainer/evaluate.h"

#include <array>

#include "layers/core/clock.h"
#include "trainer/data/loader.h"

namespace convoy {

Evaluation evaluate(Executor& executor, std::shared_ptr<const Dataset> set, Communicator& comm,
                    const Augmentation& preparation, int loader_threads, const std::atomic<bool>* stop) {
  const auto start = Clock::now();
  const Program& program = executor.plan().program;
  const Segment& segment = *program.find(SegmentKind::evaluate, program.choices.evaluate_samples);
  LoaderOptions options;
  options.batch = segment.samples * comm.size();
  options.rank = comm.rank();
  options.ranks = comm.size();
  options.threads = loader_threads;
  options.ahead = 2;
  options.shuffle = false;
  options.epochs = 1;
  options.augmentation = preparation;
  Loader loader(std::move(set), executor.graph().input(), options);
  executor.clear_metrics();
  bool stopped = false;
  while (const Batch* batch = loader.next()) {
    stopped = stop != nullptr && stop->load();
    if (stopped) break;
    if (batch->count == 0) continue;
    StepContext context;
    context.first_pass = false;
    context.iteration = batch->iteration;
    context.valid_samples = batch->count;
    executor.load(segment, batch->pixels.data(), batch->labels.data(), batch->count);
    executor.run(segment, context, false);
  }
  const Metrics local = executor.metrics();
  executor.clear_metrics();
  std::array<double, 5> sums{local.loss, local.top1, local.top5, local.samples, stopped ? 1.0 : 0.0};
  comm.all_reduce(sums, Reduction::sum, "evaluation");
  const double samples = sums[3] > 0 ? sums[3] : 1;
  return {sums[0] / samples,    sums[1] / samples, sums[2] / samples, static_cast<std::int64_t>(sums[3]),
          seconds_since(start), sums[4] > 0};
}

}  // namespace convoy
