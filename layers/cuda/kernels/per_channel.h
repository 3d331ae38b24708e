#pragma once

#include <cstdint>

#include "layers/core/dtype.h"
#include "layers/cuda/kernels/queue.h"

/// Functions of one value and of fp32 parameters of its channel (arithmetic/per_channel.h), over rows of
/// channels, and sums over rows. `parts` is scratch of sum_rows for as many quantities as there are
/// parameters.
namespace CONVOY_CUDA_NAMESPACE {

enum class ChannelFunction : std::uint8_t { scale, prelu };

struct PerChannel {
  ChannelFunction function = ChannelFunction::scale;
  std::int64_t rows = 0;
  std::int64_t channels = 0;
  bool shared = false;  ///< one parameter for all channels
  int parameters = 1;
};

/// `second` may be null where there is one parameter.
void per_channel(Queue queue, DType type, const PerChannel& layer, const void* x, const float* first,
                 const float* second, void* y);
/// Gradients of the parameters, of `type`, and of x where `result` is not null, over the gradient if it lies
/// there.
void per_channel_gradient(Queue queue, DType type, const PerChannel& layer, const void* gradient,
                          const void* x, const float* first, float* parts, void* const parameter_gradients[2],
                          void* result);

/// The sum over the rows of each channel, of `type`: the gradient of a bias.
void sum_channels(Queue queue, DType type, std::int64_t rows, std::int64_t channels, const void* values,
                  float* parts, void* sums);

}  // namespace CONVOY_CUDA_NAMESPACE
