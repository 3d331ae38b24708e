#pragma once

#include "layers/cpu/image_layout.h"

namespace convoy::cpu {

/// Adds bias[c] to every pixel of channel c of `values` (of `type`, in `layout`). Channels that only fill a
/// block up stay as they are.
void add_channel_bias(const ImageLayout& layout, Shape shape, std::int64_t batch, DType type,
                      const float* bias, void* values);

/// sums[c] = sum of `values` over all samples and pixels of channel c.
void sum_by_channel(const ImageLayout& layout, Shape shape, std::int64_t batch, DType type,
                    const void* values, float* sums);

}  // namespace convoy::cpu
