#pragma once

#include <cublasLt.h>

#include <memory>

#include "layers/cuda/libraries.h"

namespace convoy::cuda {

/// A product by cuBLASLt, which takes no memory but the scratch of each call; sums are fp32, and fp32 is
/// computed as such, or where `tf32` is set from operands rounded to TF32. Null where its heuristics find
/// nothing.
std::shared_ptr<LibraryKernel> choose_cublas_product(cublasLtHandle_t handle, Queue queue, DType type,
                                                     const Product& product, std::int64_t scratch, bool tf32);

}  // namespace convoy::cuda
