#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/planner/sections.h"

namespace convoy {

enum class SearchResult : std::uint8_t {
  found,
  impossible,  ///< no layout has so few bytes
  gave_up,     ///< the effort was spent
};

/// The search goes as deep as there are blocks, and its memory grows with their square: not for more than
/// this.
inline constexpr std::size_t kMostSearched = 4000;

/// Looks for offsets with which all blocks end at or below `capacity`: a depth-first search over canonical
/// layouts with section inference, dominance and decomposition, restarted with several orders of
/// the blocks (preorder.h; Moffitt, "MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated
/// Machine Learning", ASPLOS 2023). It takes SearchState::visits() from `effort`, and gives up when there is
/// none left. Writes `offsets` only when found.
SearchResult search_layout(const Sections& sections, std::int64_t capacity, std::int64_t& effort,
                           std::span<std::int64_t> offsets);

}  // namespace convoy
