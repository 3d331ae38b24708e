#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// The `count` channels from channel `first` on. Its gradient is zero for the other channels.
struct ChannelSlice : LayerDefaults {
  std::int64_t first = 0;
  std::int64_t count = 1;

  static ChannelSlice read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "slice"; }
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {}; }
  friend bool operator==(const ChannelSlice&, const ChannelSlice&) = default;
};

}  // namespace convoy
