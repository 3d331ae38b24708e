#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include "layers/core/error.h"
#include "trainer/planner/arena_layout.h"

namespace convoy {

void check_layout(std::span<const Block> blocks, const ArenaLayout& layout, std::int64_t alignment) {
  if (layout.offsets.size() != blocks.size()) {
    fail(ExitCode::internal, "the layout has {} offsets for {} blocks", layout.offsets.size(), blocks.size());
  }
  std::vector<std::tuple<int, bool, std::size_t>> events;  // births, then deaths of a step
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::int64_t begin = layout.offsets[i];
    if (begin < 0 || begin % alignment != 0 ||
        (blocks[i].bytes > 0 && begin > layout.bytes - blocks[i].bytes)) {
      fail(ExitCode::internal, "block {} at {} of {} bytes lies outside the arena of {} or is not aligned", i,
           begin, blocks[i].bytes, layout.bytes);
    }
    if (blocks[i].bytes == 0) continue;
    events.emplace_back(blocks[i].first, false, i);
    events.emplace_back(blocks[i].last, true, i);
  }
  std::sort(events.begin(), events.end());
  // While no two of the living overlap, a new one can only overlap its neighbours.
  std::map<std::int64_t, std::size_t> alive;  // by offset
  const auto end_of = [&](std::size_t i) { return layout.offsets[i] + blocks[i].bytes; };
  for (const auto& [step, death, i] : events) {
    if (death) {
      alive.erase(layout.offsets[i]);
      continue;
    }
    const auto above = alive.lower_bound(layout.offsets[i]);
    std::size_t other = blocks.size();
    if (above != alive.end() && above->first < end_of(i)) other = above->second;
    if (above != alive.begin() && end_of(std::prev(above)->second) > layout.offsets[i]) {
      other = std::prev(above)->second;
    }
    if (other != blocks.size()) {
      fail(ExitCode::internal, "blocks {} and {} are alive together at step {} and overlap in the arena",
           std::min(i, other), std::max(i, other), step);
    }
    alive.emplace(layout.offsets[i], i);
  }
}

}  // namespace convoy
