#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/planner/sections.h"

namespace convoy {

/// A part of a layout problem that can be solved alone, on top of what lies below it.
struct Piece {
  std::int64_t base = 0;             ///< offset of its bottom
  std::vector<std::size_t> members;  ///< block by block
  Sections sections;                 ///< the members' life, in sections of the piece
};

/// Takes a problem apart without loss. Blocks that are never alive together with others fall into parts; in
/// each part, blocks that live in all its sections (of a training Program: the flat buffers, then the
/// activations that wait for backward, one within the other) can lie at the bottom, since whatever lies below
/// such a block can change places with it; without them the rest falls apart again. Writes the offsets of
/// those blocks and returns what is left, with no block that lives throughout its piece.
std::vector<Piece> cut_into_pieces(std::span<const Block> blocks, std::span<std::int64_t> offsets);

}  // namespace convoy
