#pragma once

#include <cublasLt.h>
#include <cudnn.h>

#include "layers/device/cuda/check.h"

// What CONVOY_CUDA needs to know of cuDNN and cuBLAS.
namespace convoy {

inline constexpr const char* library_of(cudnnStatus_t) { return "cuDNN"; }
inline constexpr bool succeeded(cudnnStatus_t code) { return code == CUDNN_STATUS_SUCCESS; }
[[noreturn]] void refuse_code(const FailedCall& call, cudnnStatus_t code);

inline constexpr const char* library_of(cublasStatus_t) { return "cuBLAS"; }
inline constexpr bool succeeded(cublasStatus_t code) { return code == CUBLAS_STATUS_SUCCESS; }
[[noreturn]] void refuse_code(const FailedCall& call, cublasStatus_t code);

}  // namespace convoy
