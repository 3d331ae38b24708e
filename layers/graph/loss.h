#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// What all losses are: they take a vector of scores, one a class, and end the network there. A network has
/// one main loss, which gives the metrics and what prediction tells, and any number of auxiliary ones, which
/// exist only in training, together with the layers that lead only to them.
///
/// With `map` the scores may be those of many positions (channels are the classes): each position predicts
/// the label by itself. The loss of a sample is the mean over its positions, and its prediction the mean of
/// their outputs: Simonyan and Zisserman 2015, section 3.2.
struct Loss : LayerDefaults {
  double weight = 1;  ///< in the sum that training lowers; evaluation gives the main loss without it
  bool auxiliary = false;
  bool map = false;            ///< takes more than one position
  bool probabilities = false;  ///< the output holds probabilities, not scores; not for the file to choose

  explicit Loss(bool gives_probabilities) : probabilities(gives_probabilities) {}
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.output = true}; }
  const Loss* loss() const { return this; }
  friend bool operator==(const Loss&, const Loss&) = default;

 protected:
  /// Reads the keys `weight`, `auxiliary` and `map`.
  void read_place(TomlTable& table);
  void write_place(TomlRow& row) const;
};

}  // namespace convoy
