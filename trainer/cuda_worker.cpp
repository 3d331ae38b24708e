#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "layers/core/error.h"
#include "layers/cuda/cuda_backend.h"
#include "layers/device/cpu/host.h"
#include "layers/device/cuda/check.h"
#include "layers/device/cuda/choose_gpu.h"
#include "layers/device/cuda/cuda_device.h"
#include "trainer/worker.h"

namespace convoy {
namespace {

// Of a process, as configs/devices.toml has them for GPUs since Volta: its context, and the code that
// libraries load when their kernels first run. Estimates; what is free is asked when the context is there.
constexpr std::int64_t kContextBytes = 290'000'000;
constexpr std::int64_t kLibrariesBytes = 200 << 20;

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  CONVOY_CUDA(cudaDeviceGetAttribute(&value, which, device));
  return value;
}

/// Peaks from clocks and widths, less what is not reached; only their proportions matter to the planner.
DeviceSpeed speed_of(int device) {
  const double processors = attribute(cudaDevAttrMultiProcessorCount, device);
  const double clock = 1e3 * attribute(cudaDevAttrClockRate, device);
  const double memory_clock = 1e3 * attribute(cudaDevAttrMemoryClockRate, device);
  const double bytes = attribute(cudaDevAttrGlobalMemoryBusWidth, device) / 8.0;
  const bool hopper = attribute(cudaDevAttrComputeCapabilityMajor, device) >= 9;
  constexpr double kArithmetic = 0.5;
  constexpr double kTraffic = 0.8;
  DeviceSpeed speed;
  speed.flops = kArithmetic * processors * clock * (hopper ? 256 : 128);
  speed.half_flops = kArithmetic * processors * clock * (hopper ? 4096 : 2048);
  speed.bytes_per_second = kTraffic * 2 * memory_clock * bytes;  // two transfers a clock
  speed.launch_seconds = 4e-6;
  return speed;
}

/// GPUs that this process sees; 0 where there is no driver.
int gpus(std::string& problem) {
  int count = 0;
  if (const cudaError_t code = cudaGetDeviceCount(&count); code != cudaSuccess) {
    (void)cudaGetLastError();
    problem = cudaGetErrorString(code);
    return 0;
  }
  if (count == 0) problem = "CUDA sees none";
  return count;
}

}  // namespace

std::string cuda_problem() {
  std::string problem;
  return gpus(problem) > 0 ? "" : fmt::format("no GPU on {} ({})", host_name(), problem);
}

Worker make_cuda_worker(const Job& job, Communicator& comm) {
  std::string problem;
  const int count = gpus(problem);
  // Together, so that no rank waits for one that has none.
  if (comm.all_reduce(std::int64_t{count}, Reduction::min, "GPUs") == 0) {
    fail(ExitCode::usage, "device = \"cuda\": {}; use device = \"cpu\"",
         count == 0 ? cuda_problem() : "another rank has no GPU");
  }
  const int index = gpu_of_rank(count, comm.local_rank());
  auto device = std::make_unique<CudaDevice>(index);
  const std::vector<std::string> claims =
      comm.gather_strings(fmt::format("{} GPU {}", host_name(), device->bus_id()), "GPUs");
  Worker worker;
  worker.sharers = ranks_on_gpu(claims, comm.rank(), job.share_gpus);
  worker.backend = make_cuda_backend(*device);
  worker.libraries = cuda_library_versions();
  worker.overhead_bytes = kContextBytes + kLibrariesBytes + cuda_backend_bytes();
  worker.taken_bytes = kContextBytes + cuda_backend_bytes();
  worker.speed = speed_of(index);
  worker.device = std::move(device);
  return worker;
}

}  // namespace convoy
