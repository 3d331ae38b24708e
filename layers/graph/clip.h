#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// min(max(x, minimum), maximum): with 0 and 6 the ReLU6 of MobileNet. Its gradient is that of values between
/// the two, taken from its output, so it may overwrite its input.
struct Clip : LayerDefaults {
  double minimum = 0;
  double maximum = 0;

  static Clip read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "clip"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  BackwardNeeds needs() const { return {.output = true}; }
  friend bool operator==(const Clip&, const Clip&) = default;
};

}  // namespace convoy
