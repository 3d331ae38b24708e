#pragma once

#include "layers/cuda/library_check.h"

// Calls of cuDNN and cuBLASLt. They are loaded at the first call, not with the program: being there alone
// costs a process 0.2 seconds and 200 MiB, which training on the processor should not pay.
namespace convoy::cuda {

/// The address of a library's function. Error(internal) where library or function cannot be found.
void* cudnn_function(const char* name);
void* cublas_function(const char* name);

}  // namespace convoy::cuda

/// CONVOY_CUDNN(cudnnCreate)(&handle), CONVOY_CUBLAS(cublasLtCreate)(&handle): looked up once a place.
#define CONVOY_CUDNN(function) CONVOY_LIBRARY_FUNCTION(cudnn_function, function)
#define CONVOY_CUBLAS(function) CONVOY_LIBRARY_FUNCTION(cublas_function, function)
#define CONVOY_LIBRARY_FUNCTION(find, function)                                                          \
  ([] {                                                                                                  \
    static auto* const entry = reinterpret_cast<decltype(::function)*>(::convoy::cuda::find(#function)); \
    return entry;                                                                                        \
  }())
