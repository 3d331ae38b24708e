#pragma once

#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/cuda/kernels/queue.h"

/// Pooling of dense NHWC images. Gradients are gathered, pixel by pixel: no atomic additions.
namespace CONVOY_CUDA_NAMESPACE {

struct PoolGeometry {
  std::int64_t batch = 0, channels = 0;
  std::int64_t in_y = 0, in_x = 0;
  std::int64_t out_y = 0, out_x = 0;
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_y = 0, padding_x = 0;
  bool count_padding = false;  ///< averages are over all of the kernel
};

/// `places`, if not null, gets where in its window each maximum was: a byte each, or four where a window has
/// more than 256 pixels.
void max_pool(Queue queue, DType type, const PoolGeometry& geometry, const void* x, void* y, void* places);
void max_pool_gradient(Queue queue, DType type, const PoolGeometry& geometry, const void* gradient,
                       const void* places, void* result);
void average_pool(Queue queue, DType type, const PoolGeometry& geometry, const void* x, void* y);
void average_pool_gradient(Queue queue, DType type, const PoolGeometry& geometry, const void* gradient,
                           void* result);
void l2_pool(Queue queue, DType type, const PoolGeometry& geometry, const void* x, void* y);
void l2_pool_gradient(Queue queue, DType type, const PoolGeometry& geometry, const void* gradient,
                      const void* x, const void* y, void* result);

}  // namespace CONVOY_CUDA_NAMESPACE
