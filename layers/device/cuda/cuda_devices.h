#pragma once

#include <string>
#include <vector>

#include "layers/device/device.h"

namespace convoy {

/// GPUs of this machine, and in words how things stand ("2 devices, driver 13.0", "no driver", "not in this
/// build").
struct CudaDevices {
  std::vector<DeviceInfo> devices;
  std::string status;
};

/// Never throws for want of a GPU or a driver. Without CUDA in the build it says so.
CudaDevices list_cuda_devices();

}  // namespace convoy
