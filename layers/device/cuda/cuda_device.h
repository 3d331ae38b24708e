#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "layers/device/cuda/choose_gpu.h"
#include "layers/device/device.h"

namespace convoy {

/// A CUDA stream. Destroyed with its owner.
class CudaStream {
 public:
  enum class Priority { usual, high };  ///< of two that have work, that of high priority starts first
  explicit CudaStream(Priority priority = Priority::usual);
  ~CudaStream() { (void)cudaStreamDestroy(stream_); }
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

/// A mark in a stream, which other streams and the host can wait for.
class CudaEvent : public DeviceMark {
 public:
  CudaEvent();
  ~CudaEvent() override { (void)cudaEventDestroy(event_); }
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  cudaEvent_t get() const { return event_; }
  void record(const CudaStream& stream);
  bool done() const override;
  void wait() override;

 private:
  cudaEvent_t event_ = nullptr;
};

/// The GPU of that number, without a context there.
GpuId gpu_id(int index);

/// One GPU. Kernels run in compute(), one after another; copies to and from the host go through two pinned
/// buffers, in order with the kernels. Copies that do not wait have streams of their own. The calling
/// thread's current device becomes this one, and all calls must come from that thread. `limit` is the most
/// that allocate() gives in all; 0 means what the GPU has.
class CudaDevice : public Device {
 public:
  explicit CudaDevice(int index, std::int64_t limit = 0);
  ~CudaDevice() override;

  DeviceInfo info() const override;
  void* allocate(std::int64_t bytes) override;
  void release(void* memory, std::int64_t bytes) noexcept override;
  void copy_in(void* device, const void* host, std::int64_t bytes) override;
  void copy_out(void* host, const void* device, std::int64_t bytes) override;
  void clear(void* device, std::int64_t bytes) override;
  void synchronize() override;
  bool host_addressable() const override { return false; }
  void* allocate_host(std::int64_t bytes) override;
  void release_host(void* memory) noexcept override;
  std::unique_ptr<DeviceMark> start_copy_out(void* host, const void* device, std::int64_t bytes) override;
  void start_copy_in(void* device, const void* host, std::int64_t bytes) override;
  std::optional<std::int64_t> taken_bytes() const override;
  std::unique_ptr<DeviceMark> start_copy_ahead(void* device, const void* host, std::int64_t bytes,
                                               DeviceMark* after) override;
  void copy_within(void* to, const void* from, std::int64_t bytes) override;
  std::unique_ptr<DeviceMark> mark() override;
  void wait_for(DeviceMark& mark) override;
  /// As a CUDA graph of what goes into compute(), and into streams that wait for it and that it waits for.
  bool records() const override { return true; }
  bool recording() const override { return recording_; }
  void start_recording() override;
  std::unique_ptr<Recording> stop_recording() override;

  const CudaStream& compute() const { return *compute_; }
  /// Makes this the current device of the calling thread, which has another one unless it made the device.
  void make_current() const;
  /// "9.0".
  std::string capability() const;
  /// Of the second-level cache.
  std::int64_t cache_bytes() const { return properties_.l2CacheSize; }

 private:
  /// Pinned memory that a copy passes through.
  struct Staging {
    void* memory = nullptr;
    std::unique_ptr<CudaEvent> free;
  };
  static constexpr std::int64_t kStagingBytes = 4 << 20;
  Staging& next_staging();

  int index_;
  std::int64_t limit_;
  std::string bus_name_;                     ///< as NVML wants it
  std::optional<std::int64_t> used_before_;  ///< of the GPU, before this process had its context
  cudaDeviceProp properties_{};
  std::unique_ptr<CudaStream> compute_, copies_, inputs_;
  bool recording_ = false;
  std::unique_ptr<CudaEvent> computed_;  ///< for the other stream to wait for
  std::array<Staging, 2> staging_;
  std::size_t turn_ = 0;
};

}  // namespace convoy
