#pragma once

#include <memory>
#include <string>

#include "layers/graph/backend.h"

namespace convoy {

class CudaDevice;

/// Layers on a GPU: convolutions by cuDNN, products by cuBLASLt, all else by own kernels, in the device's
/// compute stream. Programs are those of the size model (layers/sizes), whose bytes are what the kernels get.
/// `device` must outlive it. Beside the arena it takes cuda_backend_bytes() of the device, when it is made;
/// the libraries load the code of their kernels when these first run.
/// With `tf32` convolutions and products of fp32 round their operands to TF32 (see Backend::has_tf32).
std::unique_ptr<Backend> make_cuda_backend(CudaDevice& device, bool tf32 = false);
std::int64_t cuda_backend_bytes();

/// "CUDA 13.0, cuDNN 9.19.0, cuBLAS 13.1.0".
std::string cuda_library_versions();

}  // namespace convoy
