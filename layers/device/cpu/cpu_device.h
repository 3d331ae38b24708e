#pragma once

#include <memory>

#include "layers/device/device.h"

namespace convoy {

/// The processor as a device. `limit` caps what allocate() gives in all; 0 means what the machine has.
class CpuDevice : public Device {
 public:
  explicit CpuDevice(std::int64_t limit = 0) : limit_(limit) {}

  DeviceInfo info() const override;
  void* allocate(std::int64_t bytes) override;
  void release(void* memory, std::int64_t bytes) noexcept override;
  void copy_in(void* device, const void* host, std::int64_t bytes) override;
  void copy_out(void* host, const void* device, std::int64_t bytes) override;
  void clear(void* device, std::int64_t bytes) override;
  void synchronize() override {}
  bool host_addressable() const override { return true; }

 private:
  std::int64_t limit_;
};

/// Cores that this process may run on: those of its affinity mask, and its part of a container's CPU quota,
/// which it shares with `ranks - 1` others. At least 1.
int usable_cores(int ranks = 1);

}  // namespace convoy
