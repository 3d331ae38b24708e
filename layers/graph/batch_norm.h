#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Batch normalization (Ioffe and Szegedy 2015) with trained scale and shift. Training normalizes by the
/// statistics of the micro-batch of one rank, or of all ranks' together (Site::shared_statistics); inference
/// by the running ones, which follow the mean over micro-batches and ranks of the batch mean and of the
/// unbiased batch variance.
struct BatchNorm : LayerDefaults {
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< share of the new batch in the running statistics

  static BatchNorm read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "batch_norm"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  std::vector<ParameterSpec> parameters(std::span<const Shape> inputs) const;
  std::vector<StateSpec> states(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.inputs = true}; }
  friend bool operator==(const BatchNorm&, const BatchNorm&) = default;
};

}  // namespace convoy
