#pragma once

#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/core/host_device.h"
#include "layers/cuda/kernels/queue.h"

/// Local response normalization of dense NHWC images, across channels or within each.
namespace CONVOY_CUDA_NAMESPACE {

struct LrnGeometry {
  std::int64_t batch = 0, channels = 0, height = 0, width = 0;
  bool within = false;
  std::int64_t reach = 0;  ///< neighbours on either side
  float k = 1;
  float alpha = 0;  ///< over the values of a window
  float beta = 0.75F;

  CONVOY_HD std::int64_t values() const { return batch * height * width * channels; }
};

void lrn(Queue queue, DType type, const LrnGeometry& geometry, const void* x, void* y);
/// `shares` has room for an fp32 value for each of x where `within`, and does not count otherwise.
void lrn_gradient(Queue queue, DType type, const LrnGeometry& geometry, const void* gradient, const void* x,
                  void* result, float* shares);

}  // namespace CONVOY_CUDA_NAMESPACE
