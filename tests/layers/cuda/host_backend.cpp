#include "tests/layers/cuda/host_backend.h"

#include <atomic>
#include <cstring>

#include "layers/cuda/kernels/launch.h"
#include "layers/cuda/own_backend.h"

namespace convoy {
namespace {

/// A copy of what was there when it was asked for, handed over late.
class LateCopy : public DeviceMark {
 public:
  LateCopy(void* host, const void* device, std::int64_t bytes)
      : host_(host),
        values_(static_cast<const std::byte*>(device), static_cast<const std::byte*>(device) + bytes) {}
  bool done() const override { return done_; }
  void wait() override {
    if (!done_ && !values_.empty()) std::memcpy(host_, values_.data(), values_.size());
    done_ = true;
  }

 private:
  void* host_;
  std::vector<std::byte> values_;
  bool done_ = false;
};

/// A copy that is made when somebody waits for it, of what is there then.
class LazyCopy : public DeviceMark {
 public:
  LazyCopy(void* to, const void* from, std::int64_t bytes) : to_(to), from_(from), bytes_(bytes) {}
  bool done() const override { return done_; }
  void wait() override {
    if (!done_ && bytes_ > 0) std::memcpy(to_, from_, static_cast<std::size_t>(bytes_));
    done_ = true;
  }

 private:
  void* to_;
  const void* from_;
  std::int64_t bytes_;
  bool done_ = false;
};

std::atomic<PutIntoStream> put_into_stream{nullptr};

}  // namespace

DeviceInfo HostAsGpu::info() const {
  DeviceInfo info = CpuDevice::info();
  info.bf16 = info.fp16 = true;
  return info;
}

std::unique_ptr<DeviceMark> HostAsGpu::start_copy_out(void* host, const void* device, std::int64_t bytes) {
  return std::make_unique<LateCopy>(host, device, bytes);
}

std::unique_ptr<DeviceMark> HostAsGpu::start_copy_ahead(void* device, const void* host, std::int64_t bytes,
                                                        DeviceMark* after) {
  if (after != nullptr) after->wait();
  return std::make_unique<LazyCopy>(device, host, bytes);
}

std::unique_ptr<Backend> make_host_backend(Device& device) {
  return cuda::make_own_backend(device, {}, nullptr, "cuda on the host");
}

std::unique_ptr<Backend> make_host_backend(Device& device, CUstream_st* stream, PutIntoStream put) {
  put_into_stream = put;
  return cuda::make_own_backend(device, {stream}, nullptr, "cuda on the host");
}

}  // namespace convoy

namespace CONVOY_CUDA_NAMESPACE {

void check_launch(const char*) {}

void run_on_host(Queue queue, std::function<void()> work) {
  if (queue.stream == nullptr) return work();
  put_into_stream.load()(queue.stream, std::move(work));
}

}  // namespace CONVOY_CUDA_NAMESPACE
