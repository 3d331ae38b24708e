#include "layers/device/cuda/check.h"

#include <string_view>

#include "layers/core/error.h"
#include "layers/device/cpu/host.h"

namespace convoy {
namespace {

std::string hint_for(cudaError_t code) {
  switch (code) {
    case cudaErrorMemoryAllocation:
      return "another process may have taken memory of the GPU since the plan was made; see nvidia-smi";
    case cudaErrorInsufficientDriver:
      return "the driver is older than this build's CUDA needs; update it";
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
      return "CUDA_VISIBLE_DEVICES may hide the GPUs; use device = \"cpu\" without one";
    case cudaErrorNoKernelImageForDevice:
      return "this build has no code for the GPU; configure with -DCONVOY_CUDA_ARCHITECTURES=native";
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
      return "a fault of Convoy or of the GPU; run with CUDA_LAUNCH_BLOCKING=1 to find the kernel";
    default:
      return "";
  }
}

}  // namespace

void refuse_call(const FailedCall& call, const std::string& words, const std::string& hint,
                 bool out_of_memory) {
  std::string_view file = call.file;
  for (const char* folder : {"layers/", "comm/"}) {
    if (const std::size_t room = file.find(folder); room != std::string_view::npos) file.remove_prefix(room);
  }
  fail(out_of_memory ? ExitCode::does_not_fit : ExitCode::internal, "{} failed on {}: {} ({}, at {}:{}){}",
       call.library, host_name(), words, call.expression, file, call.line, hint.empty() ? "" : "; " + hint);
}

void refuse_code(const FailedCall& call, cudaError_t code) {
  (void)cudaGetLastError();  // what can be forgotten is; the next call must not report it again
  refuse_call(call, fmt::format("{}, {}", cudaGetErrorName(code), cudaGetErrorString(code)), hint_for(code),
              code == cudaErrorMemoryAllocation);
}

std::string why_no_gpus(cudaError_t code) {
  (void)cudaGetLastError();
  int driver = 0;
  if (code == cudaErrorInsufficientDriver && (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0))
    return "no NVIDIA driver is installed";
  return cudaGetErrorString(code);
}

}  // namespace convoy
