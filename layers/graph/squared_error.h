#pragma once

#include "layers/graph/loss.h"

namespace convoy {

/// Half the squared distance of the scores from the one-hot vector of the label; see HalfSquaredError. Its
/// output holds the scores.
struct SquaredError : Loss {
  SquaredError() : Loss(false) {}
  static SquaredError read(TomlTable& table);
  std::string_view type() const { return "squared_error"; }
};

}  // namespace convoy
