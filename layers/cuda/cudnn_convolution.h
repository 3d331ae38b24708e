#pragma once

#include <cudnn.h>

#include "layers/cuda/libraries.h"

namespace convoy::cuda {

class CudnnDescriptor;

/// For what cuDNN looks for kernels: the GPU of a handle, or without a handle (nor a driver) the one that
/// `properties` describes, for which nothing can run.
struct CudnnTarget {
  cudnnHandle_t handle = nullptr;
  const CudnnDescriptor* properties = nullptr;
  bool tf32 = false;  ///< fp32 operands may be rounded to TF32
};

/// Kernels for a pass of a convolution by cuDNN's graph interface (cuDNN's developer guide, "Graph API"), in
/// the order of its heuristics. Left out are those that give other bits each time, that are compiled when
/// they are first used, and that round more than the type does: fp32 is computed as such unless `tf32` is
/// set, half types with fp32 sums. Images with their channels last, weights outputs × kernel × inputs;
/// tensors begin at multiples of 16 bytes, or of what a group's channels allow.
LibraryKernels find_cudnn_convolutions(const CudnnTarget& target, ConvolutionPass pass, DType type,
                                       const ConvolutionGeometry& geometry, const KernelQuery& query);

}  // namespace convoy::cuda
