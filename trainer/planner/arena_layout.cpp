#include "trainer/planner/arena_layout.h"

#include <algorithm>
#include <numeric>

#include "layers/core/bytes.h"
#include "layers/core/error.h"

namespace convoy {
namespace {

bool together(const Block& a, const Block& b) { return a.first <= b.last && b.first <= a.last; }

void find_lower_bound(std::span<const Block> blocks, std::int64_t alignment, ArenaLayout& layout) {
  int steps = 0;
  for (const Block& block : blocks) steps = std::max(steps, block.last + 1);
  std::vector<std::int64_t> change(static_cast<std::size_t>(steps) + 1);
  for (const Block& block : blocks) {
    const std::int64_t bytes = round_up(block.bytes, alignment);
    change[static_cast<std::size_t>(block.first)] += bytes;
    change[static_cast<std::size_t>(block.last) + 1] -= bytes;
  }
  std::int64_t alive = 0;
  for (int step = 0; step < steps; ++step) {
    alive += change[static_cast<std::size_t>(step)];
    if (alive > layout.lower_bound) {
      layout.lower_bound = alive;
      layout.peak_step = step;
    }
  }
}

}  // namespace

ArenaLayout lay_out(std::span<const Block> blocks, std::int64_t alignment) {
  ArenaLayout layout;
  layout.offsets.assign(blocks.size(), 0);
  find_lower_bound(blocks, alignment, layout);
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto key = [&](std::size_t i) {
      return std::pair{blocks[i].bytes, blocks[i].last - blocks[i].first};
    };
    return key(a) > key(b);
  });
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    const std::int64_t bytes = round_up(blocks[i].bytes, alignment);
    if (bytes == 0) continue;
    std::int64_t offset = 0;
    for (const std::size_t other : placed) {
      if (!together(blocks[i], blocks[other])) continue;
      if (layout.offsets[other] - offset >= bytes) break;
      offset = std::max(offset, layout.offsets[other] + round_up(blocks[other].bytes, alignment));
    }
    layout.offsets[i] = offset;
    layout.bytes = std::max(layout.bytes, offset + bytes);
    const auto place = std::upper_bound(
        placed.begin(), placed.end(), offset,
        [&](std::int64_t value, std::size_t other) { return value < layout.offsets[other]; });
    placed.insert(place, i);
  }
  return layout;
}

void check_layout(std::span<const Block> blocks, const ArenaLayout& layout, std::int64_t alignment) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::int64_t begin = layout.offsets[i];
    const std::int64_t end = begin + blocks[i].bytes;
    if (begin < 0 || begin % alignment != 0 || (blocks[i].bytes > 0 && end > layout.bytes)) {
      fail(ExitCode::internal, "block {} at {} of {} bytes lies outside the arena of {} or is not aligned", i,
           begin, blocks[i].bytes, layout.bytes);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (blocks[i].bytes > 0 && blocks[j].bytes > 0 && together(blocks[i], blocks[j]) &&
          begin < layout.offsets[j] + blocks[j].bytes && layout.offsets[j] < end) {
        fail(ExitCode::internal, "blocks {} and {} are alive together and overlap in the arena", j, i);
      }
    }
  }
}

}  // namespace convoy
