#include "layers/cuda/event_timer.h"

#include <algorithm>

#include "layers/core/error.h"
#include "layers/device/cuda/check.h"

namespace convoy::cuda {
namespace {

/// 0.07 as fp16, and next to nothing in the other types: sums of products stay finite.
constexpr int kModerate = 0x2c;

}  // namespace

EventTimer::EventTimer(CudaDevice& device, double budget_seconds, std::int64_t bytes)
    : device_(&device), budget_(budget_seconds), most_(bytes), cache_bytes_(device.cache_bytes()) {
  CONVOY_CUDA(cudaEventCreate(&before_));
  if (const cudaError_t code = cudaEventCreate(&after_); code != cudaSuccess) {
    (void)cudaEventDestroy(before_);
    CONVOY_CUDA(code);
  }
}

EventTimer::~EventTimer() {
  (void)cudaEventDestroy(after_);
  (void)cudaEventDestroy(before_);
}

double EventTimer::seconds(const std::string&, Kernel& kernel) {
  const cudaStream_t stream = device_->compute().get();
  // While this runs, the host puts the rest into the queue: between the events is the kernel alone.
  if (filler_ > 0)
    CONVOY_CUDA(cudaMemsetAsync(arena_->at(0), kModerate, static_cast<std::size_t>(filler_), stream));
  CONVOY_CUDA(cudaEventRecord(before_, stream));
  kernel.run({});
  CONVOY_CUDA(cudaEventRecord(after_, stream));
  CONVOY_CUDA(cudaEventSynchronize(after_));
  float milliseconds = 0;
  CONVOY_CUDA(cudaEventElapsedTime(&milliseconds, before_, after_));
  return 1e-3 * static_cast<double>(milliseconds);
}

std::byte* EventTimer::memory(std::int64_t bytes) {
  if (bytes > most_) return nullptr;
  if (arena_ == nullptr || arena_->bytes() - filler_ < bytes) {
    arena_.reset();
    filler_ = std::min(2 * cache_bytes_, most_ - bytes) / 256 * 256;
    try {
      arena_ = std::make_unique<Arena>(*device_, filler_ + bytes);
    } catch (const Error& problem) {
      if (problem.code() != ExitCode::does_not_fit) throw;
      filler_ = 0;
      return nullptr;
    }
    CONVOY_CUDA(cudaMemsetAsync(arena_->at(filler_), kModerate, static_cast<std::size_t>(bytes),
                                device_->compute().get()));
  }
  return static_cast<std::byte*>(arena_->at(filler_));
}

}  // namespace convoy::cuda
