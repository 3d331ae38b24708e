#pragma once

#include <cstdint>

#include "layers/cuda/kernels/queue.h"
#include "layers/graph/arithmetic/loss.h"
#include "layers/graph/metrics.h"
#include "layers/graph/update_state.h"

/// Losses of rows of fp32 scores, one row a position of a sample.
namespace CONVOY_CUDA_NAMESPACE {

enum class LossFunction : std::uint8_t { softmax, squared_error, hinge, squared_hinge, sigmoid };

struct LossRows {
  LossFunction function = LossFunction::softmax;
  float smoothing = 0;  ///< of softmax
  std::int64_t batch = 0;
  int positions = 1;
  int classes = 0;
};

/// The losses and ranks of all samples; `second` is null where none is mixed; `output` may be the scores'
/// memory. `sums` has a value a class and sample where there is more than one position.
void loss_of_samples(Queue queue, const LossRows& rows, const float* scores, const std::int32_t* labels,
                     const SecondLabel* second, float* output, SampleLoss* samples, float* sums);
/// Adds those of the first `valid` samples to the metrics, all but the loss where `main`; with `starts`, to
/// zeros.
void add_metrics(Queue queue, const SampleLoss* samples, std::int64_t valid, double weight, bool main,
                 bool starts, Metrics* metrics);
/// gradient of the scores, times `scale` and the loss scale of `state`, which may be null.
void loss_gradient(Queue queue, const LossRows& rows, const float* output, const std::int32_t* labels,
                   const SecondLabel* second, float scale, const UpdateState* state, float* gradient);

}  // namespace CONVOY_CUDA_NAMESPACE
