#include "tests/trainer/planner/layout_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "layers/core/bytes.h"
#include "layers/core/philox.h"

namespace convoy {

void expect_sound(const std::vector<Block>& blocks, const ArenaLayout& layout, std::int64_t alignment) {
  ASSERT_EQ(layout.offsets.size(), blocks.size());
  int steps = 0;
  std::int64_t top = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_GE(layout.offsets[i], 0);
    EXPECT_EQ(layout.offsets[i] % alignment, 0);
    steps = std::max(steps, blocks[i].last + 1);
    if (blocks[i].bytes > 0) top = std::max(top, layout.offsets[i] + round_up(blocks[i].bytes, alignment));
  }
  EXPECT_EQ(layout.bytes, top);
  std::int64_t most = 0;
  int peak = 0;
  for (int step = 0; step < steps; ++step) {
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].bytes == 0 || step < blocks[i].first || step > blocks[i].last) continue;
      ranges.emplace_back(layout.offsets[i], layout.offsets[i] + blocks[i].bytes);
      sum += round_up(blocks[i].bytes, alignment);
    }
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i)
      EXPECT_LE(ranges[i - 1].second, ranges[i].first) << "at step " << step;
    if (sum > most) peak = step;
    most = std::max(most, sum);
  }
  EXPECT_EQ(layout.lower_bound, most);
  EXPECT_EQ(layout.peak_step, peak);
  EXPECT_GE(layout.bytes, layout.lower_bound);
  if (layout.bytes == layout.lower_bound) {
    EXPECT_TRUE(layout.optimal);
  }
}

std::vector<Block> random_blocks(std::uint32_t instance, const Draw& draw) {
  const RandomStream random(7, Purpose::synthetic, instance);
  std::uint64_t drawn = 0;
  const auto below = [&](std::uint32_t bound) { return uniform_below(random.word(0, 0, drawn++), bound); };
  const std::uint32_t steps = 1 + below(draw.steps);
  std::vector<Block> blocks(1 + below(draw.blocks));
  for (Block& block : blocks) {
    const auto a = static_cast<int>(below(steps));
    const auto b = static_cast<int>(
        below(4) == 0 ? below(steps) : std::min(steps - 1, static_cast<std::uint32_t>(a) + below(6)));
    block.first = std::min(a, b);
    block.last = std::max(a, b);
    block.bytes = 1 + below(draw.bytes);
    if (!draw.hollow) continue;
    if (below(8) == 0) block.bytes = 0;
    if (below(5) == 0) block.bytes = 1 + below(1 << 20);
  }
  return blocks;
}

std::vector<Block> tight_blocks(std::uint32_t instance, std::size_t count) {
  const RandomStream random(10, Purpose::synthetic, instance);
  std::uint64_t drawn = 0;
  const auto below = [&](std::size_t bound) {
    return uniform_below(random.word(0, 0, drawn++), static_cast<std::uint32_t>(bound));
  };
  std::vector<Block> blocks;
  std::vector<std::size_t> alive;
  std::int64_t free = 4 + below(9);
  int step = 0;
  while (true) {
    while (free > 0) {
      const std::int64_t bytes = blocks.size() + 1 < count ? 1 + below(static_cast<std::size_t>(free)) : free;
      alive.push_back(blocks.size());
      blocks.push_back({step, step, bytes});
      free -= bytes;
    }
    for (const std::size_t i : alive) blocks[i].last = step;
    if (blocks.size() >= count) return blocks;
    ++step;
    for (std::size_t ends = 1 + below(2); ends > 0 && !alive.empty(); --ends) {
      const auto one = alive.begin() + below(alive.size());
      free += blocks[*one].bytes;
      alive.erase(one);
    }
  }
}

std::vector<Block> shuffled(std::vector<Block> blocks, std::uint32_t instance) {
  const RandomStream random(8, Purpose::synthetic, instance);
  for (std::uint32_t i = 1; i < blocks.size(); ++i) {
    std::swap(blocks[i], blocks[uniform_below(random.word(0, 0, i), i + 1)]);
  }
  return blocks;
}

namespace {

/// First fit in every order, except where it already takes as many bytes as the best one.
class EveryOrder {
 public:
  EveryOrder(const std::vector<Block>& blocks, std::int64_t alignment)
      : blocks_(blocks), offsets_(blocks.size(), -1) {
    for (Block& block : blocks_) block.bytes = round_up(block.bytes, alignment);
  }

  std::int64_t fewest(std::int64_t top = 0, std::size_t placed = 0) {
    if (placed == blocks_.size()) fewest_ = std::min(fewest_, top);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (offsets_[i] >= 0) continue;
      const std::int64_t offset = lowest(i);
      if (offset + blocks_[i].bytes >= fewest_) continue;
      offsets_[i] = offset;
      fewest(std::max(top, offset + blocks_[i].bytes), placed + 1);
      offsets_[i] = -1;
    }
    return fewest_;
  }

 private:
  std::int64_t lowest(std::size_t i) const {
    std::int64_t offset = 0;
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t j = 0; j < blocks_.size(); ++j) {
        const bool met = offsets_[j] >= 0 && blocks_[i].alive_with(blocks_[j]) &&
                         offset < offsets_[j] + blocks_[j].bytes && offsets_[j] < offset + blocks_[i].bytes;
        if (met) offset = offsets_[j] + blocks_[j].bytes;
        moved = moved || met;
      }
    }
    return offset;
  }

  std::vector<Block> blocks_;
  std::vector<std::int64_t> offsets_;
  std::int64_t fewest_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace

std::int64_t fewest_bytes(const std::vector<Block>& blocks, std::int64_t alignment) {
  return EveryOrder(blocks, alignment).fewest();
}

}  // namespace convoy
