#pragma once

#include <memory>

#include "layers/core/clock.h"
#include "layers/device/cuda/cuda_device.h"
#include "layers/graph/backend.h"

namespace convoy::cuda {

/// Times kernels in a GPU's compute stream between two events, with the second-level cache full of other
/// values: in a training step the tensors of other layers have gone through it since an operand was last
/// used. Its memory is an arena of its own, which is given back when it ends.
class EventTimer : public KernelTimer {
 public:
  /// May begin trials for `budget_seconds` from now on, and end the last one for as long again, with at most
  /// `bytes` of memory.
  EventTimer(CudaDevice& device, double budget_seconds, std::int64_t bytes);
  ~EventTimer() override;
  EventTimer(const EventTimer&) = delete;
  EventTimer& operator=(const EventTimer&) = delete;

  double seconds(const std::string& what, Kernel& kernel) override;
  bool late() override { return seconds_since(start_) >= budget_; }
  bool over() override { return seconds_since(start_) >= 2 * budget_; }
  std::byte* memory(std::int64_t bytes) override;

 private:
  Clock::time_point start_ = Clock::now();
  CudaDevice* device_;
  double budget_;
  std::int64_t most_;
  std::int64_t cache_bytes_;
  std::unique_ptr<Arena> arena_;  ///< what the cache is filled with, then what was asked for
  std::int64_t filler_ = 0;       ///< bytes of the former
  cudaEvent_t before_ = nullptr;
  cudaEvent_t after_ = nullptr;
};

}  // namespace convoy::cuda
