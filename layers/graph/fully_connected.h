#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// Fully connected layer. Weights: outputs × values of its input (channels × height × width), as PyTorch has
/// them.
struct FullyConnected : LayerDefaults {
  std::int64_t outputs = 0;
  bool bias = true;
  Initializer weight_init{Initializer::Kind::msra, 0};
  Initializer bias_init{Initializer::Kind::constant, 0};

  static FullyConnected read(TomlTable& table);
  std::string_view type() const { return "fully_connected"; }
  Shape output(std::span<const Shape>) const { return {outputs, 1, 1}; }
  std::vector<ParameterSpec> parameters(std::span<const Shape> inputs) const;
  std::int64_t macs(std::span<const Shape> inputs) const { return outputs * inputs[0].elements(); }
  BackwardNeeds needs() const { return {.inputs = true}; }
  Window window_y() const { return {.whole = true}; }
  Window window_x() const { return {.whole = true}; }
};

}  // namespace convoy
