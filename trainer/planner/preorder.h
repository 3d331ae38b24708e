#pragma once

#include <cstdint>
#include <vector>

#include "trainer/planner/search_state.h"

namespace convoy {

/// By what the blocks are sorted before a search, the largest first; it breaks ties between blocks that can
/// lie at one offset. Pressure: unplaced bytes in the fullest of a block's sections. Life is counted in steps
/// or in sections. Of the paper's eleven hard problems each order solves some that take the others far
/// longer; for CNN training programs the first one finds the least bytes at once.
enum class Preorder : std::uint8_t {
  pressure_life_area,
  sections_area_pressure,
  area_pressure_sections,
  pressure_area_sections,
  pressure_sections_area,
};
inline constexpr Preorder kPreorders[] = {Preorder::pressure_life_area, Preorder::sections_area_pressure,
                                          Preorder::area_pressure_sections, Preorder::pressure_area_sections,
                                          Preorder::pressure_sections_area};

/// Sorts unplaced blocks; equal ones by number.
void sort_members(std::vector<int>& members, Preorder preorder, const SearchState& state);

}  // namespace convoy
