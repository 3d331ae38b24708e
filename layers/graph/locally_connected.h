#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// A convolution whose every output pixel has a kernel and biases of its own (Taigman et al. 2014; Keras'
/// LocallyConnected2D). Weights: outputs × positions × inputs · kernel height · kernel width, positions row
/// by row; bias: outputs × positions.
struct LocallyConnected : LayerDefaults {
  std::int64_t outputs = 0;
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_y = 0, padding_x = 0;
  bool bias = true;
  Initializer weight_init{Initializer::Kind::msra, 0};
  Initializer bias_init{Initializer::Kind::constant, 0};

  static LocallyConnected read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "locally_connected"; }
  Shape output(std::span<const Shape> inputs) const;
  std::vector<ParameterSpec> parameters(std::span<const Shape> inputs) const;
  std::int64_t macs(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.inputs = true}; }
  Window window_y() const { return {kernel_y, stride_y, padding_y}; }
  Window window_x() const { return {kernel_x, stride_x, padding_x}; }
  friend bool operator==(const LocallyConnected&, const LocallyConnected&) = default;
};

}  // namespace convoy
