#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>

#include "comm/nccl/nccl.h"
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
DeviceSpeed speed_of(int device, bool tf32) {
  const double processors = attribute(cudaDevAttrMultiProcessorCount, device);
  const double clock = 1e3 * attribute(cudaDevAttrClockRate, device);
  const double memory_clock = 1e3 * attribute(cudaDevAttrMemoryClockRate, device);
  const double bytes = attribute(cudaDevAttrGlobalMemoryBusWidth, device) / 8.0;
  const bool hopper = attribute(cudaDevAttrComputeCapabilityMajor, device) >= 9;
  constexpr double kArithmetic = 0.5;
  constexpr double kTraffic = 0.8;
  DeviceSpeed speed;
  speed.flops = kArithmetic * processors * clock * (hopper ? 256 : 128);
  if (tf32) speed.flops = kArithmetic * processors * clock * (hopper ? 2048 : 1024);
  speed.half_flops = kArithmetic * processors * clock * (hopper ? 4096 : 2048);
  speed.bytes_per_second = kTraffic * 2 * memory_clock * bytes;  // two transfers a clock
  speed.launch_seconds = 4e-6;
  return speed;
}

/// GPUs that this process sees; 0 where there is no driver.
int gpus(std::string& problem) {
  int count = 0;
  if (const cudaError_t code = cudaGetDeviceCount(&count); code != cudaSuccess) {
    problem = why_no_gpus(code);
    return 0;
  }
  if (count == 0) problem = "CUDA sees none";
  return count;
}

/// Whether a problem that some rank has keeps all from NCCL: its text, or "".
std::string problem_of_any(const std::string& problem, Communicator& comm) {
  const std::vector<std::string> problems = comm.gather_strings(problem, "NCCL");
  for (std::size_t rank = 0; rank < problems.size(); ++rank) {
    if (!problems[rank].empty()) return fmt::format("rank {}: {}", rank, problems[rank]);
  }
  return "";
}

/// Of `count` GPUs that this rank sees; all ranks together.
TakenGpu take_gpu_with_others(const Job& job, Communicator& comm, int count) {
  SeenGpus seen{host_name(), {}};
  for (int i = 0; i < count; ++i) seen.gpus.push_back(gpu_id(i));
  std::vector<SeenGpus> all;
  for (const std::string& text : comm.gather_strings(seen_gpus_text(seen), "GPUs"))
    all.push_back(seen_gpus_of(text));
  return take_gpu(all, comm.rank(), job.share_gpus);
}

/// What keeps a rank with such a GPU from NCCL, which refuses two ranks on one place of the PCI bus.
std::string nccl_problem_of(const TakenGpu& gpu) {
  if (gpu.sharers > 1) return "it shares its GPU with another rank";
  return gpu.is_divided ? "another rank has a part of the same GPU (MIG)" : nccl_problem();
}

/// NCCL where each rank has a GPU of its own, unless the job says otherwise.
void add_collectives(const Job& job, Communicator& comm, const TakenGpu& gpu, CudaDevice& device,
                     Worker& worker) {
  if (comm.size() == 1) return;
  std::string problem = "as comm.gradients asks for";
  if (job.comm.gradients != "host") problem = problem_of_any(nccl_problem_of(gpu), comm);
  if (!problem.empty()) {
    if (job.comm.gradients == "nccl")
      fail(ExitCode::usage, "[comm] gradients = \"nccl\" cannot be: {}; use \"auto\" or \"host\"", problem);
    worker.libraries += fmt::format(", gradients through the host ({})", problem);
    return;
  }
  const std::int64_t free_before = device.info().free_bytes;
  worker.collectives = make_nccl_collectives(device, comm, {job.comm.timeout_seconds});
  device.reset_peak();
  const std::int64_t taken = std::max<std::int64_t>(free_before - device.info().free_bytes, 0);
  worker.collective_bytes = comm.all_reduce(taken, Reduction::max, "memory of NCCL");
  worker.taken_bytes += taken;
  worker.libraries += ", " + worker.collectives->kind();
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
  const TakenGpu gpu = take_gpu_with_others(job, comm, count);
  auto device = std::make_unique<CudaDevice>(gpu.index);
  Worker worker;
  worker.sharers = gpu.sharers;
  worker.backend = make_cuda_backend(*device, job.train.precision == "tf32");
  worker.libraries = cuda_library_versions();
  worker.overhead_bytes = kContextBytes + kLibrariesBytes + cuda_backend_bytes();
  worker.taken_bytes = kContextBytes + cuda_backend_bytes();
  worker.speed = speed_of(gpu.index, job.train.precision == "tf32");
  add_collectives(job, comm, gpu, *device, worker);
  worker.device = std::move(device);
  return worker;
}

}  // namespace convoy
