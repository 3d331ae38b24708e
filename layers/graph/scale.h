#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// scale · x + shift with a trained scale and shift for each channel (Caffe's Scale; the second half of a
/// batch norm).
struct Scale : LayerDefaults {
  bool shift = true;

  static Scale read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "scale"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  std::vector<ParameterSpec> parameters(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.inputs = true}; }
  friend bool operator==(const Scale&, const Scale&) = default;
};

}  // namespace convoy
