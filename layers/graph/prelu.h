#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Parametric ReLU (He et al. 2015): x > 0 ? x : slope · x with a trained slope for each channel, or one for
/// all. The slopes begin at 0.25 and, of kind `norm`, do not decay: decay would pull them to plain ReLU.
struct Prelu : LayerDefaults {
  bool shared = false;  ///< one slope for all channels

  static Prelu read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "prelu"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  std::vector<ParameterSpec> parameters(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.inputs = true}; }
  friend bool operator==(const Prelu&, const Prelu&) = default;
};

}  // namespace convoy
