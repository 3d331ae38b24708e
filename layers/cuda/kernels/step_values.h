#pragma once

#include <cstdint>

#include "layers/cuda/kernels/queue.h"

namespace CONVOY_CUDA_NAMESPACE {

/// What kernels read of a StepContext from the device's memory: what changes between runs of recorded work.
struct StepValues {
  std::uint64_t iteration = 0;
  float learning_rate = 0;
  friend bool operator==(const StepValues&, const StepValues&) = default;
};

/// Writes the values to `memory` in order with the work: they travel as the kernel's argument, so that no
/// copy waits for anything.
void set_step_values(Queue queue, const StepValues& values, StepValues* memory);

}  // namespace CONVOY_CUDA_NAMESPACE
