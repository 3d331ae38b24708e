#pragma once

#include <cuda_runtime_api.h>

#include <string>

namespace convoy {

/// A failed call of a CUDA library as an Error: which library, on which host, the expression and its place,
/// the library's words, and a hint where one is known. Out of memory is Error(does_not_fit), all else
/// Error(internal).
struct FailedCall {
  const char* library = "";
  const char* expression = "";
  const char* file = "";
  int line = 0;
};
[[noreturn]] void refuse_call(const FailedCall& call, const std::string& words, const std::string& hint,
                              bool out_of_memory);

/// One for each library whose codes CONVOY_CUDA takes; layers/cuda and comm add theirs.
inline constexpr const char* library_of(cudaError_t) { return "CUDA"; }
inline constexpr bool succeeded(cudaError_t code) { return code == cudaSuccess; }
[[noreturn]] void refuse_code(const FailedCall& call, cudaError_t code);

/// Why the number of GPUs cannot be told, in words: CUDA calls a missing driver an old one.
std::string why_no_gpus(cudaError_t code);

}  // namespace convoy

/// Evaluates a call of CUDA, cuDNN, cuBLAS or NCCL, and throws when it failed.
#define CONVOY_CUDA(expression)                                                                   \
  do {                                                                                            \
    const auto convoy_code = (expression);                                                        \
    if (!::convoy::succeeded(convoy_code))                                                        \
      ::convoy::refuse_code({::convoy::library_of(convoy_code), #expression, __FILE__, __LINE__}, \
                            convoy_code);                                                         \
  } while (false)
