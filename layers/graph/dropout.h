#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Dropout (Srivastava et al. 2014), scaled by 1 / (1 - rate) in training, the identity in inference. The
/// mask of a value is a hash of (seed, layer, iteration, global sample, element), so backward derives it
/// again.
struct Dropout : LayerDefaults {
  double rate = 0.5;

  static Dropout read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "dropout"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  BackwardNeeds needs() const { return {}; }
  bool only_training() const { return true; }
  friend bool operator==(const Dropout&, const Dropout&) = default;
};

}  // namespace convoy
