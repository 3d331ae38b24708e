#pragma once

#include "layers/core/dtype.h"

struct CUstream_st;

// The kernels' sources are also compiled by the C++ compiler alone, with CONVOY_CUDA_ON_HOST: every launch is
// then a loop, and the tests run them anywhere. Names differ, so that one program may hold both.
#ifdef CONVOY_CUDA_ON_HOST
#define CONVOY_CUDA_NAMESPACE convoy::cuda::inline on_host
#else
#define CONVOY_CUDA_NAMESPACE convoy::cuda
#endif

namespace CONVOY_CUDA_NAMESPACE {

/// Where kernels are put to run, one after another: a CUDA stream.
struct Queue {
  CUstream_st* stream = nullptr;
};

/// Error(internal) when the launch just made failed.
void check_launch(const char* kernel);
/// Error(internal): no kernel has elements of such a type.
[[noreturn]] void refuse_type(DType type);

}  // namespace CONVOY_CUDA_NAMESPACE
