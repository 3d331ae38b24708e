#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlTable;

/// What all losses are: they take a vector of scores, one a class, and end the network there. A network has
/// one main loss, which gives the metrics and what prediction tells, and any number of auxiliary ones, which
/// exist only in training, together with the layers that lead only to them.
struct Loss : LayerDefaults {
  double weight = 1;  ///< in the sum that training lowers; evaluation gives the main loss without it
  bool auxiliary = false;
  bool probabilities = false;  ///< the output holds probabilities, not scores; not for the file to choose

  explicit Loss(bool gives_probabilities) : probabilities(gives_probabilities) {}
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.output = true}; }
  const Loss* loss() const { return this; }

 protected:
  /// Reads the keys `weight` and `auxiliary`.
  void read_place(TomlTable& table);
};

}  // namespace convoy
