#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/planner/arena_layout.h"
#include "trainer/planner/sections.h"

namespace convoy {

/// The orders in which first fit places blocks. In CNN training programs the largest first is within 2% of
/// the lower bound, and mostly at it.
inline constexpr LayoutMethod kFirstFitOrders[] = {LayoutMethod::by_size, LayoutMethod::by_life,
                                                   LayoutMethod::by_area, LayoutMethod::by_pressure,
                                                   LayoutMethod::by_birth};

/// The blocks' numbers in an order of kFirstFitOrders; equal ones by the other properties, then by number.
std::vector<std::size_t> order_blocks(const Sections& sections, LayoutMethod order);

/// Gives each block in turn the lowest offset where it does not meet those placed before. Returns the end of
/// the highest block.
std::int64_t first_fit(std::span<const Block> blocks, std::span<const std::size_t> order,
                       std::span<std::int64_t> offsets);

}  // namespace convoy
