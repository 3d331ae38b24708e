#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// Sum (residual connections), product (gates) or maximum (maxout, Goodfellow et al. 2013) of the values at
/// one place of two or more inputs of one shape. The gradient of the maximum goes to the first input that
/// attains it.
struct Elementwise : LayerDefaults {
  enum class Kind : std::uint8_t { sum, product, maximum };
  Kind kind = Kind::sum;

  static Elementwise read_sum(TomlTable& table);
  static Elementwise read_product(TomlTable& table);
  static Elementwise read_maximum(TomlTable& table);
  std::string_view type() const;
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.inputs = kind == Kind::product}; }
  std::size_t least_inputs() const { return 2; }
  std::size_t most_inputs() const { return 64; }
  friend bool operator==(const Elementwise&, const Elementwise&) = default;
};

}  // namespace convoy
