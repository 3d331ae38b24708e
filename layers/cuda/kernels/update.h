#pragma once

#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/cuda/kernels/queue.h"
#include "layers/cuda/kernels/step_values.h"
#include "layers/graph/update_state.h"

/// Kernels over the flat buffers of parameters.
namespace CONVOY_CUDA_NAMESPACE {

/// One optimizer step over `count` values; see SgdSpec. `gradients` are of `gradient_type`; `momentum` may be
/// null, and `half`, which gets the new weights in `half_type`.
struct SgdStep {
  std::int64_t count = 0;
  const StepValues* values = nullptr;  ///< learning rate
  const UpdateState* state = nullptr;  ///< may be null
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

/// running = (1 - momentum) · running + momentum · statistic; `state` may be null.
void follow(Queue queue, std::int64_t count, float momentum, float* running, const float* statistic,
            const UpdateState* state);

/// Squares of `count` values, added up in `parts` sums apart. With `adds`, to what those are; otherwise all
/// of them begin at 0.
void add_squares(Queue queue, DType type, std::int64_t count, const void* values, bool adds,
                 std::int64_t parts, double* sums);
/// The sum of the parts, in an order of their own, which changes them.
void add_parts(Queue queue, std::int64_t parts, double* sums, double* sum);

/// decide_update after the iteration of `values`.
void decide(Queue queue, const UpdateRule& rule, const double* squares, const StepValues* values,
            UpdateState* state);

}  // namespace CONVOY_CUDA_NAMESPACE
