#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Fully connected layer. Weights: outputs × values of its input (channels × height × width), as PyTorch has
/// them.
struct FullyConnected : LayerDefaults {
  std::int64_t outputs = 0;
  bool bias = true;
  Initializer weight_init{Initializer::Kind::msra, 0};
  Initializer bias_init{Initializer::Kind::constant, 0};

  static FullyConnected read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "fully_connected"; }
  Shape output(std::span<const Shape>) const { return {outputs, 1, 1}; }
  std::vector<ParameterSpec> parameters(std::span<const Shape> inputs) const;
  std::int64_t macs(std::span<const Shape> inputs) const { return outputs * inputs[0].elements(); }
  BackwardNeeds needs() const { return {.inputs = true}; }
  Window window_y() const { return {.whole = true}; }
  Window window_x() const { return {.whole = true}; }
  friend bool operator==(const FullyConnected&, const FullyConnected&) = default;
};

}  // namespace convoy
