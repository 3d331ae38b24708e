#pragma once

#include "layers/graph/loss.h"

namespace convoy {

/// Softmax over the classes with cross-entropy against the label; see SoftmaxCrossEntropy. Its output holds
/// the probabilities.
struct SoftmaxLoss : Loss {
  double label_smoothing = 0;

  SoftmaxLoss() : Loss(true) {}
  static SoftmaxLoss read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "softmax_loss"; }
  friend bool operator==(const SoftmaxLoss&, const SoftmaxLoss&) = default;
};

}  // namespace convoy
