#include "layers/device/cuda/cuda_devices.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "layers/device/cuda/check.h"

namespace convoy {
namespace {

DeviceInfo info_of(int index) {
  DeviceInfo info;
  info.kind = "cuda";
  info.index = index;
  cudaDeviceProp properties{};
  if (const cudaError_t problem = cudaGetDeviceProperties(&properties, index); problem != cudaSuccess) {
    (void)cudaGetLastError();
    info.name = cudaGetErrorString(problem);
    return info;
  }
  info.name = properties.name;
  info.memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
  info.threads = properties.multiProcessorCount;
  info.bf16 = properties.major >= 8;
  info.fp16 = properties.major >= 6;
  info.tf32 = properties.major >= 8;
  std::size_t free_bytes = 0;
  std::size_t all_bytes = 0;
  if (cudaSetDevice(index) == cudaSuccess && cudaMemGetInfo(&free_bytes, &all_bytes) == cudaSuccess) {
    info.free_bytes = static_cast<std::int64_t>(free_bytes);
  }
  (void)cudaGetLastError();  // a GPU that gives no context is not the next call's failure
  return info;
}

}  // namespace

CudaDevices list_cuda_devices() {
  CudaDevices found;
  int count = 0;
  if (const cudaError_t problem = cudaGetDeviceCount(&count); problem != cudaSuccess) {
    found.status = fmt::format("no device ({})", why_no_gpus(problem));
    return found;
  }
  for (int i = 0; i < count; ++i) found.devices.push_back(info_of(i));
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  found.status = fmt::format("{} device{}, driver for CUDA {}.{}", count, count == 1 ? "" : "s",
                             driver / 1000, driver % 1000 / 10);
  return found;
}

}  // namespace convoy
