#pragma once

#include <optional>

#include "layers/cpu/image_layout.h"

namespace convoy::cpu {

/// An activation as samples × blocks × pixels × lanes, in this order in memory; channel = block · lanes +
/// lane. Plain N×C×H×W has one lane a block, channels last has one block, nChw16c has blocks of 16 lanes, of
/// which the last may be padded with zeros.
struct ChannelView {
  std::int64_t samples = 0;
  std::int64_t blocks = 0;
  std::int64_t pixels = 0;
  std::int64_t lanes = 0;
  std::int64_t channels = 0;  ///< without padding

  std::int64_t offset(std::int64_t sample, std::int64_t block, std::int64_t pixel) const {
    return ((sample * blocks + block) * pixels + pixel) * lanes;
  }
};

/// The view of an image_layout, or nothing when it is none.
std::optional<ChannelView> channel_view(const memory::desc& desc, Shape shape, std::int64_t batch);

}  // namespace convoy::cpu
