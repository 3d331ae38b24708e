#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/planner/arena_layout.h"
#include "trainer/planner/pieces.h"

namespace convoy {

/// A piece with its best layout so far.
struct PieceLayout {
  Piece piece;
  std::vector<std::int64_t> offsets;  ///< by member, above the base
  std::int64_t bytes = 0;             ///< end of the highest block, with the base
  LayoutMethod method = LayoutMethod::stacked;

  /// Takes better offsets.
  void take(std::span<const std::int64_t> better, LayoutMethod how);
};

/// First fit in all its orders until the piece ends at or below `goal`.
PieceLayout try_first_fit(Piece piece, std::int64_t goal);

/// The exact search for less on one piece.
class Improvement {
 public:
  /// `lower_bound`: no layout has fewer bytes. `unit`: all sums of bytes are multiples of it. The search
  /// takes from `effort`.
  Improvement(PieceLayout& layout, std::int64_t lower_bound, std::int64_t unit, std::int64_t& effort)
      : layout_(layout), impossible_(lower_bound - unit), unit_(unit), effort_(effort) {}

  /// Goes on until the piece ends at or below `goal`, the least is known, or the effort is spent.
  void run(std::int64_t goal);

  /// Whether it is shown that no layout has fewer bytes.
  bool optimal() const { return impossible_ + unit_ >= layout_.bytes; }

 private:
  bool look(std::int64_t capacity, std::int64_t allowed);

  PieceLayout& layout_;
  std::int64_t impossible_;  ///< every layout has more bytes
  std::int64_t unit_;
  std::int64_t& effort_;
};

}  // namespace convoy
