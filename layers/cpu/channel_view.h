#pragma once

#include <optional>

#include "layers/cpu/onednn.h"

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

/// The view of a layout that is one of those above.
std::optional<ChannelView> channel_view(const memory::desc& desc, Shape shape, std::int64_t batch);

/// `incoming` where it has a view, otherwise the plain layout, which has one.
Layout accept_channel_view(Engine& engine, Shape shape, std::int64_t batch, DType type,
                           const Layout& incoming);

}  // namespace convoy::cpu
