#pragma once

#include <cstdint>

namespace convoy::cpu {

/// Most values that a row of the output may have, channels filled up to blocks of 16.
inline constexpr std::int64_t kNarrowMostRow = 8192;

/// One image of a convolution over channels-last fp32 values: input y × x × inputs (with its padding already
/// around it), output y × x × outputs. A window's row is `row` = kernel_x · inputs values side by side.
/// Weights for forward, and their gradients, lie as blocks × kernel_y × row × 16, a block being 16 outputs
/// (the last one filled up with zeros).
struct NarrowConvolution {
  std::int64_t inputs = 0, in_y = 0, in_x = 0;
  std::int64_t outputs = 0, out_y = 0, out_x = 0;
  std::int64_t kernel_y = 1, row = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  bool relu = false;  ///< after forward

  std::int64_t blocks() const { return (outputs + 15) / 16; }
  std::int64_t taps() const { return kernel_y * row; }
  std::int64_t vectors() const { return (row + 15) / 16; }
};

// Kernels for one image, compiled for AVX-512 (narrow_convolution_v4.cpp).

/// output = input * weights + bias; `bias` holds blocks · 16 values.
void narrow_forward_v4(const NarrowConvolution& g, const float* input, const float* weights,
                       const float* bias, float* output);
/// Adds the image's share to the gradients of the windows' rows [first_ky, end_ky):
/// partial[(block · taps + tap) · 16 + output].
void narrow_backward_weights_v4(const NarrowConvolution& g, const float* input, const float* output_gradient,
                                std::int64_t first_ky, std::int64_t end_ky, float* partial);
/// partial[output] += sum over the image, for blocks · 16 outputs.
void narrow_backward_bias_v4(const NarrowConvolution& g, const float* output_gradient, float* partial);
/// Adds to `input_gradient`, which the caller has set to zero. The weights lie as
/// kernel_y × vectors × outputs × 16, a vector being 16 values of a window's row (the last one filled up with
/// zeros), aligned to 64 bytes.
void narrow_backward_data_v4(const NarrowConvolution& g, const float* output_gradient, const float* weights,
                             float* input_gradient);

}  // namespace convoy::cpu
