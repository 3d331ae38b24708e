#pragma once

#include "layers/graph/loss.h"

namespace convoy {

/// A sigmoid with cross-entropy for each class by itself; see SigmoidCrossEntropyOfScores. Its output holds
/// the probabilities, which need not add up to one.
struct SigmoidCrossEntropy : Loss {
  SigmoidCrossEntropy() : Loss(true) {}
  static SigmoidCrossEntropy read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "sigmoid_cross_entropy"; }
  friend bool operator==(const SigmoidCrossEntropy&, const SigmoidCrossEntropy&) = default;
};

}  // namespace convoy
