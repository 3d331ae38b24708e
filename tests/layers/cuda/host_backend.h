#pragma once

#include <functional>
#include <memory>

#include "layers/device/cpu/cpu_device.h"
#include "layers/graph/backend.h"

struct CUstream_st;

namespace convoy {

/// The processor posing as a GPU: its memory is not to be touched but by copies and kernels, it knows all
/// types, and copies that do not wait are done only when their mark is waited for, so that nobody can rely on
/// more.
class HostAsGpu : public CpuDevice {
 public:
  explicit HostAsGpu(std::int64_t limit = 0) : CpuDevice(limit) {}
  DeviceInfo info() const override;
  bool host_addressable() const override { return false; }
  std::unique_ptr<DeviceMark> start_copy_out(void* host, const void* device, std::int64_t bytes) override;
  std::unique_ptr<DeviceMark> start_copy_ahead(void* device, const void* host, std::int64_t bytes,
                                               DeviceMark* after) override;
};

/// The backend of GPUs with every launch a loop on the processor, and no libraries: convolutions and products
/// run by our own loops, at once.
std::unique_ptr<Backend> make_host_backend(Device& device);

/// Puts work into a stream.
using PutIntoStream = void (*)(CUstream_st* stream, std::function<void()> work);
/// The same with launches put into a stream.
std::unique_ptr<Backend> make_host_backend(Device& device, CUstream_st* stream, PutIntoStream put);

}  // namespace convoy
