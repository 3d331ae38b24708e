#include "trainer/evaluate.h"

#include <algorithm>
#include <array>

#include "layers/core/clock.h"
#include "layers/graph/arithmetic/loss.h"
#include "trainer/data/loader.h"
#include "trainer/planner/inference_plan.h"

namespace convoy {
namespace {

/// What each class scores over all positions of a sample, as loss_of_map adds them up.
void add_positions(std::span<const float> output, std::span<float> scores) {
  std::ranges::fill(scores, 0.F);
  for (std::size_t i = 0; i < output.size(); ++i) scores[i % scores.size()] += output[i];
}

/// Calls count(label, scores of the classes) for each sample of the batch.
template <class Count>
void for_each_sample(const Batch& batch, std::span<const float> output, std::size_t of_sample,
                     std::int64_t classes, const Count& count) {
  std::vector<float> scores(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    add_positions(output.subspan(i * of_sample, of_sample), scores);
    count(batch.labels[i], scores);
  }
}

/// Top-1 and top-5 of a batch by the means of its views' outputs.
void count_views(Executor& executor, const Segment& segment, const Batch& batch, int views,
                 const StepContext& context, Metrics& metrics, Confusion* confusion) {
  const std::vector<float> means =
      mean_of_views(executor, segment, batch.pixels.data(), batch.labels, views, context);
  const auto classes = static_cast<int>(executor.graph().classes());
  for_each_sample(batch, means, means.size() / batch.labels.size(), classes,
                  [&](std::int32_t label, std::span<const float> scores) {
                    const int rank = rank_of(scores.data(), classes, label);
                    metrics.top1 += rank < 1 ? 1 : 0;
                    metrics.top5 += rank < 5 ? 1 : 0;
                    metrics.samples += 1;
                    if (confusion != nullptr) confusion->count(label, scores);
                  });
}

/// Counts the samples of the batch that just ran.
void count_samples(const Executor& executor, const Segment& segment, const Batch& batch,
                   Confusion& confusion) {
  const std::vector<float> output = executor.output(segment);
  for_each_sample(batch, output, output.size() / static_cast<std::size_t>(segment.samples),
                  executor.graph().classes(),
                  [&](std::int32_t label, std::span<const float> scores) { confusion.count(label, scores); });
}

}  // namespace

std::vector<float> mean_of_views(Executor& executor, const Segment& segment, const std::uint8_t* pixels,
                                 std::span<const std::int32_t> labels, int views, StepContext context) {
  const std::int64_t bytes = executor.graph().input().elements();
  const auto all = static_cast<std::int64_t>(labels.size()) * views;
  std::vector<std::int32_t> label_of(static_cast<std::size_t>(segment.samples));
  std::vector<float> means;
  for (std::int64_t first = 0; first < all; first += segment.samples) {
    const std::int64_t count = std::min(segment.samples, all - first);
    for (std::int64_t i = 0; i < count; ++i)
      label_of[static_cast<std::size_t>(i)] = labels[static_cast<std::size_t>((first + i) / views)];
    context.valid_samples = count;
    executor.load(segment, pixels + first * bytes, label_of.data(), count);
    executor.run(segment, context, false);
    const std::vector<float> output = executor.output(segment);
    const std::size_t each = output.size() / static_cast<std::size_t>(segment.samples);
    means.resize(labels.size() * each);
    for (std::int64_t i = 0; i < count; ++i) {
      float* mean = means.data() + static_cast<std::size_t>((first + i) / views) * each;
      const float* one = output.data() + static_cast<std::size_t>(i) * each;
      for (std::size_t j = 0; j < each; ++j) mean[j] += one[j] / static_cast<float>(views);
    }
  }
  return means;
}

Evaluation evaluate(Executor& executor, std::shared_ptr<const Dataset> set, Communicator& comm,
                    const Augmentation& preparation, int loader_threads, const std::atomic<bool>* stop,
                    Confusion* confusion) {
  const auto start = Clock::now();
  const Program& program = executor.plan().program;
  const Segment& segment = *program.find(SegmentKind::evaluate, program.choices.evaluate_samples);
  LoaderOptions options;
  const int views = preparation.views();
  options.batch = std::max<std::int64_t>(segment.samples / views, 1) * comm.size();
  options.rank = comm.rank();
  options.ranks = comm.size();
  options.threads = loader_threads;
  options.ahead = kEvaluationAhead;
  options.shuffle = false;
  options.epochs = 1;
  options.augmentation = preparation;
  Loader loader(std::move(set), executor.graph().input(), options);
  executor.clear_metrics();
  Metrics of_views;
  bool stopped = false;
  while (const Batch* batch = loader.next()) {
    stopped = stop != nullptr && stop->load();
    if (stopped) break;
    if (batch->count == 0) continue;
    StepContext context;
    context.first_pass = false;
    context.iteration = batch->iteration;
    if (views > 1) {
      count_views(executor, segment, *batch, views, context, of_views, confusion);
      continue;
    }
    context.valid_samples = batch->count;
    executor.load(segment, batch->pixels.data(), batch->labels.data(), batch->count);
    executor.run(segment, context, false);
    if (confusion != nullptr) count_samples(executor, segment, *batch, *confusion);
  }
  Metrics local = executor.metrics();
  executor.clear_metrics();
  if (views > 1) {
    of_views.loss = local.loss / views;
    local = of_views;
  }
  std::array<double, 5> sums{local.loss, local.top1, local.top5, local.samples, stopped ? 1.0 : 0.0};
  comm.all_reduce(sums, Reduction::sum, "evaluation");
  if (confusion != nullptr) confusion->add_up(comm);
  const double samples = sums[3] > 0 ? sums[3] : 1;
  return {sums[0] / samples,    sums[1] / samples, sums[2] / samples, static_cast<std::int64_t>(sums[3]),
          seconds_since(start), sums[4] > 0};
}

}  // namespace convoy
