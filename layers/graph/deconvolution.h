#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Transposed convolution in `groups` independent parts, as PyTorch's ConvTranspose2d: the gradient of a
/// convolution by its input. Weights: inputs × outputs/groups × kernel, in groups along the inputs. Output
/// size (input − 1) · stride − 2 · padding + dilation · (kernel − 1) + 1 + output_padding.
struct Deconvolution : LayerDefaults {
  std::int64_t outputs = 0;
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_y = 0, padding_x = 0;
  std::int64_t output_padding_y = 0, output_padding_x = 0;  ///< rows and columns more at the end
  std::int64_t dilation_y = 1, dilation_x = 1;
  std::int64_t groups = 1;
  bool bias = true;
  Initializer weight_init{Initializer::Kind::msra, 0};
  Initializer bias_init{Initializer::Kind::constant, 0};

  static Deconvolution read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "deconvolution"; }
  Shape output(std::span<const Shape> inputs) const;
  /// fan_in counts the inputs that reach an output on average: of stride · stride outputs each input misses
  /// some.
  std::vector<ParameterSpec> parameters(std::span<const Shape> inputs) const;
  std::int64_t macs(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.inputs = true}; }
  Window window_y() const;
  Window window_x() const;
  friend bool operator==(const Deconvolution&, const Deconvolution&) = default;
};

}  // namespace convoy
