#pragma once

#include "layers/graph/loss.h"

namespace convoy {

/// Hinge loss of each class against all others; see OneVersusAllHinge. Its output holds the scores.
struct Hinge : Loss {
  std::int64_t norm = 1;  ///< 1, or 2 for squares

  Hinge() : Loss(false) {}
  static Hinge read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "hinge"; }
  friend bool operator==(const Hinge&, const Hinge&) = default;
};

}  // namespace convoy
