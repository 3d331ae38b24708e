#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Channels of zeros before and after those of the input, `outputs` in all: the shortcut without parameters
/// of residual networks (He et al. 2015, option A), after a pool of kernel 1 that subsamples.
struct PadChannels : LayerDefaults {
  std::int64_t outputs = 0;
  std::int64_t before = 0;  ///< channels of zeros before the input's; the rest stand after them

  static PadChannels read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "pad_channels"; }
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {}; }
  friend bool operator==(const PadChannels&, const PadChannels&) = default;
};

}  // namespace convoy
