#pragma once

#include <cstdint>

namespace convoy::cpu {

/// Max pooling over maps that lie as outer × height × width × inner: channels last (outer N, inner C) or
/// channels in blocks of b (outer N · C / b, inner b). The position of the maximum in its window is kept as
/// one byte a value. NaN is a maximum, as in PyTorch. oneDNN's pooling is slower for the few channels of
/// small networks.
struct MaxPoolGeometry {
  std::int64_t outer = 0, inner = 0;
  std::int64_t in_y = 0, in_x = 0;
  std::int64_t out_y = 0, out_x = 0;
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_y = 0, padding_x = 0;
};

/// `positions` may be null in inference.
void max_pool_forward(const MaxPoolGeometry& g, const float* input, float* output, std::uint8_t* positions);
void max_pool_backward(const MaxPoolGeometry& g, const float* output_gradient, const std::uint8_t* positions,
                       float* input_gradient);

}  // namespace convoy::cpu
