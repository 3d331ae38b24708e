#pragma once

#include <memory>

#include "layers/device/device.h"
#include "layers/graph/backend.h"

namespace convoy {

/// Where layers are tested.
struct BenchDevice {
  std::shared_ptr<Device> device;  ///< null: operands lie in this process's memory
  std::shared_ptr<Backend> backend;
  bool channels_last = false;  ///< plain activations are N × H × W × C, not N × C × H × W
};

/// What a test is linked with defines it: layer_bench the processor, cuda_host_bench the GPU's kernels as
/// loops on the processor, gpu_bench a GPU.
BenchDevice make_bench_device(const KernelChoices& choices = {});

}  // namespace convoy
