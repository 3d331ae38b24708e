#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// A function of one value without parameters, applied to every value of its input:
///   relu     x > 0 ? x : slope · x           slope 0; leaky otherwise (Maas et al. 2013)
///   elu      x > 0 ? x : alpha · (e^x - 1)   Clevert et al. 2016
///   sigmoid  1 / (1 + e^-x)
///   tanh
/// Its gradient is taken from its output, so it may overwrite its input; but not below a negative slope or
/// alpha, where the sign of the output does not tell that of the input.
struct Nonlinearity : LayerDefaults {
  enum class Kind : std::uint8_t { relu, elu, sigmoid, tanh };
  Kind kind = Kind::relu;
  double alpha = 0;  ///< relu's slope, elu's alpha

  static Nonlinearity read_relu(TomlTable& table);
  static Nonlinearity read_elu(TomlTable& table);
  static Nonlinearity read_sigmoid(TomlTable&);
  static Nonlinearity read_tanh(TomlTable&);
  void write(TomlRow& row) const;
  std::string_view type() const;
  Shape output(std::span<const Shape> inputs) const { return inputs[0]; }
  bool backward_from_output() const { return alpha >= 0; }
  BackwardNeeds needs() const {
    return {.inputs = !backward_from_output(), .output = backward_from_output()};
  }
  friend bool operator==(const Nonlinearity&, const Nonlinearity&) = default;
};

}  // namespace convoy
