#pragma once

#include <cublasLt.h>

#include "layers/cuda/libraries.h"

namespace convoy::cuda {

/// Kernels for a product by cuBLASLt's heuristics, the best by its estimate first; they take no memory but
/// the scratch of each call. Sums are fp32 throughout, also those of parts that are added up apart, and fp32
/// is computed as such unless `tf32` is set, which lets operands be rounded to TF32.
LibraryKernels find_cublas_products(cublasLtHandle_t handle, Queue queue, DType type, const Product& product,
                                    const KernelQuery& query, bool tf32);

}  // namespace convoy::cuda
