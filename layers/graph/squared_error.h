#pragma once

#include "layers/graph/loss.h"

namespace convoy {

/// Half the squared distance of the scores from the one-hot vector of the label; see HalfSquaredError. Its
/// output holds the scores.
struct SquaredError : Loss {
  SquaredError() : Loss(false) {}
  static SquaredError read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "squared_error"; }
  friend bool operator==(const SquaredError&, const SquaredError&) = default;
};

}  // namespace convoy
