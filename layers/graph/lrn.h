#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// Local response normalization across `size` neighbouring channels (Krizhevsky et al. 2012, section 3.3,
/// with Caffe's alpha / size): y = x / (k + alpha / size · Σ x²)^beta.
struct Lrn : LayerDefaults {
  std::int64_t size = 5;
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 1;

  static Lrn read(TomlTable& table);
  std::string_view type() const { return "lrn"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  BackwardNeeds needs() const { return {.inputs = true}; }
};

}  // namespace convoy
