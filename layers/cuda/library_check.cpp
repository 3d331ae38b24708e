#include "layers/cuda/library_calls.h"

#include <fmt/format.h>

#include <array>

#include "layers/cuda/kernels/queue.h"

namespace convoy {

void refuse_code(const FailedCall& call, cudnnStatus_t code) {
  std::array<char, 512> last{};
  CONVOY_CUDNN(cudnnGetLastErrorString)(last.data(), last.size());
  refuse_call(call, fmt::format("{}, {}", CONVOY_CUDNN(cudnnGetErrorString)(code), last.data()),
              code == CUDNN_STATUS_NOT_INITIALIZED || code == CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED
                  ? "the GPU may have no memory left for cuDNN, or its libraries are not in the library path"
                  : "",
              code == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
                  code == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED);
}

void refuse_code(const FailedCall& call, cublasStatus_t code) {
  refuse_call(call,
              fmt::format("{}, {}", CONVOY_CUBLAS(cublasLtGetStatusName)(code),
                          CONVOY_CUBLAS(cublasLtGetStatusString)(code)),
              "", code == CUBLAS_STATUS_ALLOC_FAILED);
}

namespace cuda {

void check_launch(const char* kernel) {
  if (const cudaError_t code = cudaGetLastError(); code != cudaSuccess)
    refuse_code({"CUDA", kernel, "layers/cuda/kernels/launch.h", 0}, code);
}

}  // namespace cuda
}  // namespace convoy
