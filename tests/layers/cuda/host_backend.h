#pragma once

#include <memory>

#include "layers/device/cpu/cpu_device.h"
#include "layers/graph/backend.h"

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
};

/// The backend of GPUs with every launch a loop on the processor, and no libraries: convolutions and products
/// run by our own loops.
std::unique_ptr<Backend> make_host_backend(Device& device);

}  // namespace convoy
