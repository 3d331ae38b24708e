#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// An image as a vector of its values, channel by channel and row by row. The values stay where they are.
struct Flatten : LayerDefaults {
  static Flatten read(TomlTable&) { return {}; }
  std::string_view type() const { return "flatten"; }
  Shape output(std::span<const Shape> inputs) const { return {inputs[0].elements(), 1, 1}; }
  BackwardNeeds needs() const { return {}; }
  Window window_y() const { return {.whole = true}; }
  Window window_x() const { return {.whole = true}; }
  friend bool operator==(const Flatten&, const Flatten&) = default;
};

}  // namespace convoy
