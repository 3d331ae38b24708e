#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// Inputs of equal height and width one after another along the channels (the branches of an Inception
/// module). Its gradient falls apart into those of the inputs.
struct Concat : LayerDefaults {
  static Concat read(TomlTable&) { return {}; }
  std::string_view type() const { return "concat"; }
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {}; }
  std::size_t least_inputs() const { return 2; }
  std::size_t most_inputs() const { return 64; }
  friend bool operator==(const Concat&, const Concat&) = default;
};

}  // namespace convoy
