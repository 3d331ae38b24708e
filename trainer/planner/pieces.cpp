#include "trainer/planner/pieces.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace convoy {
namespace {

/// Splits what is sorted by birth where nobody is alive on both sides.
std::vector<Piece> split(std::span<const Block> blocks, const Piece& whole) {
  std::vector<Piece> parts;
  int end = 0;
  for (const std::size_t i : whole.members) {
    if (parts.empty() || blocks[i].first > end) {
      parts.push_back({whole.base, {}, {}});
      end = blocks[i].last;
    }
    parts.back().members.push_back(i);
    end = std::max(end, blocks[i].last);
  }
  return parts;
}

}  // namespace

std::vector<Piece> cut_into_pieces(std::span<const Block> blocks, std::span<std::int64_t> offsets) {
  Piece whole;
  whole.members.resize(blocks.size());
  std::iota(whole.members.begin(), whole.members.end(), std::size_t{0});
  std::stable_sort(whole.members.begin(), whole.members.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].first < blocks[b].first; });
  std::vector<Piece> pieces;
  std::vector<Piece> open = split(blocks, whole);
  while (!open.empty()) {
    Piece piece = std::move(open.back());
    open.pop_back();
    std::vector<Block> mine;
    for (const std::size_t i : piece.members) mine.push_back(blocks[i]);
    piece.sections = find_sections(mine);
    Piece rest{piece.base, {}, {}};
    for (std::size_t k = 0; k < mine.size(); ++k) {
      const Block& block = piece.sections.blocks[k];
      if (block.first == 0 && block.last == piece.sections.count - 1) {
        offsets[piece.members[k]] = rest.base;
        rest.base += block.bytes;
      } else {
        rest.members.push_back(piece.members[k]);
      }
    }
    if (rest.members.size() == piece.members.size()) {
      pieces.push_back(std::move(piece));
    } else {
      for (Piece& part : split(blocks, rest)) open.push_back(std::move(part));
    }
  }
  return pieces;
}

}  // namespace convoy
