#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// Softmax over the channels at each pixel: exp(x_c) / Σ_k exp(x_k). For probabilities inside of a network; a
/// network that ends in softmax and cross-entropy has them in one layer, SoftmaxLoss.
struct Softmax : LayerDefaults {
  static Softmax read(TomlTable&) { return {}; }
  std::string_view type() const { return "softmax"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  BackwardNeeds needs() const { return {.output = true}; }
  friend bool operator==(const Softmax&, const Softmax&) = default;
};

}  // namespace convoy
