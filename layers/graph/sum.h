#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// Element-wise sum of inputs of one shape (residual connections).
struct Sum : LayerDefaults {
  static Sum read(TomlTable&) { return {}; }
  std::string_view type() const { return "sum"; }
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {}; }
  std::size_t least_inputs() const { return 2; }
  std::size_t most_inputs() const { return 64; }
};

}  // namespace convoy
