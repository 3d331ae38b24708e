#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// Softmax over the channels of a vector with cross-entropy against the label. Its output holds the
/// probabilities; in training its gradient is (p - onehot(label)) · loss weight of a sample.
struct SoftmaxLoss : LayerDefaults {
  static SoftmaxLoss read(TomlTable&) { return {}; }
  std::string_view type() const { return "softmax_loss"; }
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.output = true}; }
  bool is_loss() const { return true; }
};

}  // namespace convoy
