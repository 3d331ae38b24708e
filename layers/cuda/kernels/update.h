#pragma once

#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/cuda/kernels/queue.h"
#include "layers/cuda/kernels/step_values.h"

/// Kernels over the flat buffers of parameters.
namespace CONVOY_CUDA_NAMESPACE {

/// One optimizer step over `count` values; see SgdSpec. `gradients` are of `gradient_type`; `momentum` may be
/// null, and `half`, which gets the new weights in `half_type`.
struct SgdStep {
  std::int64_t count = 0;
  const StepValues* values = nullptr;  ///< learning rate, and scale of the gradients
  float rate = 1;                      ///< multiplies the learning rate
  float decay = 0;
  float momentum_factor = 0;
  bool nesterov = false;
  DType gradient_type = DType::f32;
  DType half_type = DType::f32;
  float* weights = nullptr;
  const void* gradients = nullptr;
  float* momentum = nullptr;
  void* half = nullptr;
};
void sgd(Queue queue, const SgdStep& step);

/// running = (1 - momentum) · running + momentum · statistic.
void follow(Queue queue, std::int64_t count, float momentum, float* running, const float* statistic);

/// Values that sum_of_squares needs as scratch; the first is the result.
inline constexpr std::int64_t kSquareSums = 1 << 14;
/// The same bits in every run.
void sum_of_squares(Queue queue, DType type, std::int64_t count, const void* values, double* sums);

/// Sets the flag to 1 where a value is infinite or no number; otherwise leaves it.
void find_not_finite(Queue queue, DType type, std::int64_t count, const void* values, std::int32_t* flag);

}  // namespace CONVOY_CUDA_NAMESPACE
