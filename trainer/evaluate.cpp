#include "trainer/evaluate.h"

#include <algorithm>
#include <array>

#include "layers/core/clock.h"
#include "trainer/data/loader.h"
#include "trainer/planner/inference_plan.h"

namespace convoy {
namespace {

/// Counts the samples of the batch that just ran, by the sums of what each class scores over all positions,
/// as loss_of_map adds them up.
void count_samples(const Executor& executor, const Segment& segment, const Batch& batch,
                   Confusion& confusion) {
  const std::vector<float> output = executor.output(segment);
  const auto classes = static_cast<std::size_t>(executor.graph().classes());
  const std::size_t of_sample = output.size() / static_cast<std::size_t>(segment.samples);
  std::vector<float> sums(classes);
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch.count); ++i) {
    std::ranges::fill(sums, 0.F);
    for (std::size_t at = 0; at < of_sample; ++at) sums[at % classes] += output[i * of_sample + at];
    confusion.count(batch.labels[i], sums);
  }
}

}  // namespace

Evaluation evaluate(Executor& executor, std::shared_ptr<const Dataset> set, Communicator& comm,
                    const Augmentation& preparation, int loader_threads, const std::atomic<bool>* stop,
                    Confusion* confusion) {
  const auto start = Clock::now();
  const Program& program = executor.plan().program;
  const Segment& segment = *program.find(SegmentKind::evaluate, program.choices.evaluate_samples);
  LoaderOptions options;
  options.batch = segment.samples * comm.size();
  options.rank = comm.rank();
  options.ranks = comm.size();
  options.threads = loader_threads;
  options.ahead = kEvaluationAhead;
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
    if (confusion != nullptr) count_samples(executor, segment, *batch, *confusion);
  }
  const Metrics local = executor.metrics();
  std::array<double, 5> sums{local.loss, local.top1, local.top5, local.samples, stopped ? 1.0 : 0.0};
  comm.all_reduce(sums, Reduction::sum, "evaluation");
  if (confusion != nullptr) confusion->add_up(comm);
  const double samples = sums[3] > 0 ? sums[3] : 1;
  return {sums[0] / samples,    sums[1] / samples, sums[2] / samples, static_cast<std::int64_t>(sums[3]),
          seconds_since(start), sums[4] > 0};
}

}  // namespace convoy
