#include "trainer/planner/first_fit.h"

#include <algorithm>
#include <array>

namespace convoy {
namespace {

/// The largest total among each block's sections.
std::vector<std::int64_t> pressures(const Sections& sections) {
  const std::vector<std::int64_t> totals = section_totals(sections);
  std::vector<std::int64_t> most;
  most.reserve(sections.blocks.size());
  for (const Block& block : sections.blocks) {
    most.push_back(*std::max_element(totals.begin() + block.first, totals.begin() + block.last + 1));
  }
  return most;
}

}  // namespace

std::vector<std::size_t> order_blocks(const Sections& sections, LayoutMethod order) {
  struct Keyed {
    std::array<double, 3> keys;  // the largest first
    std::size_t block;
  };
  std::vector<std::int64_t> pressure;
  if (order == LayoutMethod::by_pressure) pressure = pressures(sections);
  std::vector<Keyed> keyed;
  for (std::size_t i = 0; i < sections.blocks.size(); ++i) {
    const Block& block = sections.blocks[i];
    const auto bytes = static_cast<double>(block.bytes);
    const auto life = static_cast<double>(block.last - block.first + 1);
    switch (order) {
      case LayoutMethod::by_life:
        keyed.push_back({{life, bytes, 0}, i});
        break;
      case LayoutMethod::by_area:
        keyed.push_back({{life * bytes, life, 0}, i});
        break;
      case LayoutMethod::by_pressure: {
        keyed.push_back({{static_cast<double>(pressure[i]), life * bytes, life}, i});
        break;
      }
      case LayoutMethod::by_birth:
        keyed.push_back({{-static_cast<double>(block.first), life, bytes}, i});
        break;
      default:
        keyed.push_back({{bytes, life, 0}, i});
        break;
    }
  }
  std::sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) {
    return a.keys != b.keys ? a.keys > b.keys : a.block < b.block;
  });
  std::vector<std::size_t> numbers;
  for (const Keyed& k : keyed) numbers.push_back(k.block);
  return numbers;
}

std::int64_t first_fit(std::span<const Block> blocks, std::span<const std::size_t> order,
                       std::span<std::int64_t> offsets) {
  struct Placed {
    std::int64_t begin, end;
    int first, last;
  };
  std::vector<Placed> placed;  // by offset
  placed.reserve(order.size());
  std::int64_t top = 0;
  for (const std::size_t i : order) {
    const Block& block = blocks[i];
    std::int64_t offset = 0;
    for (const Placed& other : placed) {
      if (other.first > block.last || block.first > other.last) continue;
      if (other.begin - offset >= block.bytes) break;
      offset = std::max(offset, other.end);
    }
    offsets[i] = offset;
    top = std::max(top, offset + block.bytes);
    const auto place = std::upper_bound(placed.begin(), placed.end(), offset,
                                        [](std::int64_t value, const Placed& p) { return value < p.begin; });
    placed.insert(place, {offset, offset + block.bytes, block.first, block.last});
  }
  return top;
}

}  // namespace convoy
