#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Convolution in `groups` independent parts (AlexNet's split layers). Weights: outputs × inputs/groups ×
/// kernel.
struct Convolution : LayerDefaults {
  std::int64_t outputs = 0;
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_top = 0, padding_left = 0, padding_bottom = 0, padding_right = 0;
  bool same = false;  ///< the paddings follow from the size of the input: ceil(input / stride) outputs
  std::int64_t dilation_y = 1, dilation_x = 1;
  std::int64_t groups = 1;
  bool bias = true;
  Initializer weight_init{Initializer::Kind::msra, 0};
  Initializer bias_init{Initializer::Kind::constant, 0};

  static Convolution read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "convolution"; }
  void settle(std::span<const Shape> inputs);
  Shape output(std::span<const Shape> inputs) const;
  std::vector<ParameterSpec> parameters(std::span<const Shape> inputs) const;
  std::int64_t macs(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.inputs = true}; }
  Window window_y() const { return {kernel_y, stride_y, padding_top, dilation_y}; }
  Window window_x() const { return {kernel_x, stride_x, padding_left, dilation_x}; }
  friend bool operator==(const Convolution&, const Convolution&) = default;
};

}  // namespace convoy
