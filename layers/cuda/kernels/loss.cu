#include "layers/cuda/kernels/loss.h"

#include "layers/cuda/kernels/launch.h"
#include "layers/cuda/kernels/walk.h"

namespace CONVOY_CUDA_NAMESPACE {
namespace {

template <class Arithmetic>
struct Forward {
  Arithmetic arithmetic;
  int positions, classes;
  const float* scores;
  const std::int32_t* labels;
  const SecondLabel* second;
  float* output;
  SampleLoss* samples;
  float* sums;
  CONVOY_HD void operator()(std::int64_t n) const {
    const std::int64_t first = n * positions * classes;
    const float* row = scores + first;
    const SecondLabel* other = second == nullptr ? nullptr : second + n;
    if (positions == 1) {
      // The rank before the output takes the place of the scores.
      const int rank = rank_of(row, classes, labels[n]);
      samples[n] = {mixed_loss(arithmetic, row, classes, labels[n], other, output + first), rank};
    } else {
      samples[n] = loss_of_map(arithmetic, row, positions, classes, labels[n], other, output + first,
                               sums + n * classes);
    }
  }
};

struct AddMetrics {
  const SampleLoss* samples;
  std::int64_t valid;
  double weight;
  bool main, starts;
  Metrics* metrics;
  CONVOY_HD void operator()(std::int64_t) const {
    Metrics sum = starts ? Metrics{} : *metrics;
    for (std::int64_t n = 0; n < valid; ++n) {
      sum.loss += weight * static_cast<double>(samples[n].loss);
      if (!main) continue;
      sum.top1 += samples[n].rank < 1 ? 1 : 0;
      sum.top5 += samples[n].rank < 5 ? 1 : 0;
      sum.samples += 1;
    }
    *metrics = sum;
  }
};

template <class Arithmetic>
struct Gradient {
  Arithmetic arithmetic;
  Divisor positions, classes;
  const float* output;
  const std::int32_t* labels;
  const SecondLabel* second;
  float scale;
  const UpdateState* state;
  float* gradient;
  CONVOY_HD void operator()(std::int64_t i) const {
    const std::int64_t row = classes.quotient(i);
    const std::int64_t sample = positions.quotient(row);
    const SecondLabel* other = second == nullptr ? nullptr : second + sample;
    gradient[i] = mixed_gradient(arithmetic, output[i], static_cast<int>(i - row * classes.value()),
                                 labels[sample], other) *
                  (scale * loss_scale_of(state));
  }
};

template <class Call>
void with_arithmetic(const LossRows& rows, Call&& call) {
  switch (rows.function) {
    case LossFunction::softmax:
      return call(SoftmaxCrossEntropy{rows.smoothing, rows.smoothing / static_cast<float>(rows.classes)});
    case LossFunction::squared_error:
      return call(HalfSquaredError{});
    case LossFunction::hinge:
      return call(OneVersusAllHinge{false});
    case LossFunction::squared_hinge:
      return call(OneVersusAllHinge{true});
    case LossFunction::sigmoid:
      return call(SigmoidCrossEntropyOfScores{});
  }
}

}  // namespace

void loss_of_samples(Queue queue, const LossRows& rows, const float* scores, const std::int32_t* labels,
                     const SecondLabel* second, float* output, SampleLoss* samples, float* sums) {
  with_arithmetic(rows, [&]<class A>(const A& arithmetic) {
    for_each_long_index(
        queue, rows.batch,
        Forward<A>{arithmetic, rows.positions, rows.classes, scores, labels, second, output, samples, sums});
  });
}

void add_metrics(Queue queue, const SampleLoss* samples, std::int64_t valid, double weight, bool main,
                 bool starts, Metrics* metrics) {
  for_each_index(queue, 1, AddMetrics{samples, valid, weight, main, starts, metrics});
}

void loss_gradient(Queue queue, const LossRows& rows, const float* output, const std::int32_t* labels,
                   const SecondLabel* second, float scale, const UpdateState* state, float* gradient) {
  with_arithmetic(rows, [&]<class A>(const A& arithmetic) {
    for_each_index(queue, rows.batch * rows.positions * rows.classes,
                   Gradient<A>{arithmetic, Divisor(rows.positions), Divisor(rows.classes), output, labels,
                               second, scale, state, gradient});
  });
}

}  // namespace CONVOY_CUDA_NAMESPACE
