#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// max(x, 0). Its gradient is taken from the sign of its output, so it may overwrite its input.
struct Relu : LayerDefaults {
  static Relu read(TomlTable&) { return {}; }
  std::string_view type() const { return "relu"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  BackwardNeeds needs() const { return {.output = true}; }
};

}  // namespace convoy
