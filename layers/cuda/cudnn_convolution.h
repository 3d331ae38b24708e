#pragma once

#include <cudnn.h>

#include <memory>

#include "layers/cuda/libraries.h"

namespace convoy::cuda {

/// A pass of a convolution by cuDNN's heuristics (its legacy interface, which needs no compiler at run time):
/// of the deterministic algorithms within `scratch` bytes the one that it thinks fastest. Null where it has
/// none, and for paddings that differ from side to side. fp32 is computed as such, or where `tf32` is set
/// from operands rounded to TF32; half types on tensor cores with fp32 sums.
std::shared_ptr<LibraryKernel> choose_cudnn_convolution(cudnnHandle_t handle, ConvolutionPass pass,
                                                        DType type, const ConvolutionGeometry& geometry,
                                                        std::int64_t scratch, bool tf32);

}  // namespace convoy::cuda
