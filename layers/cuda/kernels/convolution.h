#pragma once

#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/cuda/kernels/queue.h"

/// Convolutions and products by plain loops, one thread a result: for what no library has a kernel for
/// (paddings that differ from side to side, no memory for a workspace), and for locally connected layers.
/// Sums are fp32.
namespace CONVOY_CUDA_NAMESPACE {

/// A convolution of dense NHWC images with weights outputs × kernel × inputs / groups. Of a locally connected
/// layer each output position has weights of its own, positions first.
struct ConvolutionGeometry {
  std::int64_t batch = 0;
  std::int64_t in_channels = 0, in_y = 0, in_x = 0;
  std::int64_t out_channels = 0, out_y = 0, out_x = 0;
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_y = 0,
               padding_x = 0;  ///< before the input; what lies past its end follows from the outputs
  std::int64_t dilation_y = 1, dilation_x = 1;
  std::int64_t groups = 1;
  bool local = false;
  /// Values from one pixel to the next where the channels are a part of an image's; 0: the channels. Our own
  /// loops take whole images only.
  std::int64_t in_pixel = 0, out_pixel = 0;
};

void convolve(Queue queue, DType type, const ConvolutionGeometry& geometry, const void* x,
              const void* weights, void* y);
void convolve_gradient(Queue queue, DType type, const ConvolutionGeometry& geometry, const void* gradient,
                       const void* weights, void* result);
void convolve_weights(Queue queue, DType type, const ConvolutionGeometry& geometry, const void* x,
                      const void* gradient, void* result);

/// C = A · B, m × k by k × n, all dense and row by row; either may be given as its transpose.
struct Product {
  std::int64_t m = 0, n = 0, k = 0;
  bool turn_a = false;  ///< a is k × m
  bool turn_b = false;  ///< b is n × k
};
void multiply(Queue queue, DType type, const Product& product, const void* a, const void* b, void* c);

/// Adds to each sample a bias of so many values, fp32.
void add_sample_bias(Queue queue, DType type, std::int64_t batch, std::int64_t values, const float* bias,
                     void* y);
/// The sum over the samples: that bias's gradient.
void sum_samples(Queue queue, DType type, std::int64_t batch, std::int64_t values, const void* gradient,
                 void* sums);

}  // namespace CONVOY_CUDA_NAMESPACE
