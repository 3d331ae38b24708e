#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Local response normalization, y = x / (k + alpha / n · Σ x²)^beta. Across channels the sum is over `size`
/// neighbouring channels (Krizhevsky et al. 2012, section 3.3) and n = size; within a channel over the size ×
/// size pixels around (zeros outside of the image) and n = size². Both as Caffe has them.
struct Lrn : LayerDefaults {
  enum class Region : std::uint8_t { across, within };
  Region region = Region::across;
  std::int64_t size = 5;
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 1;

  static Lrn read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "lrn"; }
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  BackwardNeeds needs() const { return {.inputs = true}; }
  Window window_y() const { return region == Region::across ? Window{} : Window{size, 1, size / 2}; }
  Window window_x() const { return window_y(); }
  friend bool operator==(const Lrn&, const Lrn&) = default;
};

}  // namespace convoy
