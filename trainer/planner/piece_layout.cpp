#include "trainer/planner/piece_layout.h"

#include <algorithm>
#include <utility>

#include "trainer/planner/exact_layout.h"
#include "trainer/planner/first_fit.h"

namespace convoy {

void PieceLayout::take(std::span<const std::int64_t> better, LayoutMethod how) {
  offsets.assign(better.begin(), better.end());
  bytes = piece.base;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    bytes = std::max(bytes, piece.base + offsets[i] + piece.sections.blocks[i].bytes);
  }
  method = how;
}

PieceLayout try_first_fit(Piece piece, std::int64_t goal) {
  PieceLayout layout;
  layout.piece = std::move(piece);
  const Sections& sections = layout.piece.sections;
  std::vector<std::int64_t> offsets(sections.blocks.size());
  for (const LayoutMethod order : kFirstFitOrders) {
    const std::int64_t top = first_fit(sections.blocks, order_blocks(sections, order), offsets);
    if (layout.offsets.empty() || layout.piece.base + top < layout.bytes) layout.take(offsets, order);
    if (layout.bytes <= goal) break;
  }
  return layout;
}

void Improvement::run(std::int64_t goal) {
  if (look(goal, effort_ / 2 + 1)) return;
  // Then capacities between what failed and what is reached, with little effort each at first. What fails
  // takes all the effort it is allowed, what succeeds often little: so rather try too much than too little.
  for (std::int64_t allowed = effort_ / 100 + 1; layout_.bytes > goal && !optimal(); allowed *= 3) {
    std::int64_t failed = std::max(goal - unit_, impossible_);
    while (failed + unit_ < layout_.bytes) {
      if (effort_ <= 0) return;
      const std::int64_t units = (layout_.bytes - failed) / unit_;
      const std::int64_t capacity = layout_.bytes - std::max<std::int64_t>(units / 3, 1) * unit_;
      if (!look(capacity, allowed)) failed = capacity;
    }
  }
}

bool Improvement::look(std::int64_t capacity, std::int64_t allowed) {
  std::vector<std::int64_t> offsets(layout_.offsets.size());
  allowed = std::min(allowed, effort_);
  std::int64_t left = allowed;
  const SearchResult result =
      search_layout(layout_.piece.sections, capacity - layout_.piece.base, left, offsets);
  effort_ -= allowed - left;
  if (result == SearchResult::impossible) impossible_ = std::max(impossible_, capacity);
  if (result == SearchResult::found) layout_.take(offsets, LayoutMethod::exact_search);
  return result == SearchResult::found;
}

}  // namespace convoy
