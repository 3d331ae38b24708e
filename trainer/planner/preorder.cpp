#include "trainer/planner/preorder.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace convoy {
namespace {

using Keys = std::array<double, 3>;

Keys keys_of(int i, Preorder preorder, const SearchState& state) {
  const Block& block = state.blocks()[static_cast<std::size_t>(i)];
  const auto bytes = static_cast<double>(block.bytes);
  const auto life = static_cast<double>(state.life(i));
  const auto sections = static_cast<double>(block.last - block.first + 1);
  const auto pressure = static_cast<double>(state.pressure(i));
  switch (preorder) {
    case Preorder::pressure_life_area:
      return {pressure, life, life * bytes};
    case Preorder::area_pressure_sections:
      return {sections * bytes, pressure, sections};
    case Preorder::pressure_area_sections:
      return {pressure, sections * bytes, sections};
    case Preorder::pressure_sections_area:
      return {pressure, sections, sections * bytes};
    case Preorder::sections_area_pressure:
      return {sections, sections * bytes, pressure};
  }
  return {};
}

}  // namespace

void sort_members(std::vector<int>& members, Preorder preorder, const SearchState& state) {
  std::vector<std::pair<Keys, int>> keyed;
  keyed.reserve(members.size());
  for (const int i : members) keyed.emplace_back(keys_of(i, preorder, state), -i);
  std::sort(keyed.begin(), keyed.end(), std::greater<>());
  for (std::size_t k = 0; k < members.size(); ++k) members[k] = -keyed[k].second;
}

}  // namespace convoy
