#include <gtest/gtest.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "layers/core/philox.h"
#include "trainer/planner/arena_layout.h"

namespace convoy {
namespace {

/// What the layout must hold, found the slow way: step by step, byte ranges sorted.
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
    if (step == layout.peak_step) {
      EXPECT_EQ(sum, layout.lower_bound);
    }
    most = std::max(most, sum);
  }
  EXPECT_EQ(layout.lower_bound, most);
  EXPECT_GE(layout.bytes, layout.lower_bound);
}

std::vector<Block> random_blocks(std::uint32_t instance) {
  const RandomStream random(7, Purpose::synthetic, instance);
  std::uint64_t drawn = 0;
  const auto below = [&](std::uint32_t bound) { return uniform_below(random.word(0, 0, drawn++), bound); };
  const std::uint32_t steps = 1 + below(80);
  std::vector<Block> blocks(1 + below(120));
  for (Block& block : blocks) {
    const auto a = static_cast<int>(below(steps));
    const auto b = static_cast<int>(
        below(4) == 0 ? below(steps) : std::min(steps - 1, static_cast<std::uint32_t>(a) + below(6)));
    block.first = std::min(a, b);
    block.last = std::max(a, b);
    block.bytes = below(8) == 0 ? 0 : 1 + below(below(5) == 0 ? 1 << 20 : 5000);
  }
  return blocks;
}

TEST(ArenaLayout, NeverOverlapsAndStaysAlignedOnRandomBlocks) {
  for (std::uint32_t instance = 0; instance < 300; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance);
    for (const std::int64_t alignment : {1, 64, 256}) {
      const ArenaLayout layout = lay_out(blocks, alignment);
      SCOPED_TRACE(instance);
      expect_sound(blocks, layout, alignment);
      EXPECT_NO_THROW(check_layout(blocks, layout, alignment));
      if (HasFailure()) return;
    }
  }
}

TEST(ArenaLayout, IsAPureFunctionOfTheBlocks) {
  const std::vector<Block> blocks = random_blocks(5);
  EXPECT_EQ(lay_out(blocks, 64).offsets, lay_out(blocks, 64).offsets);
}

TEST(ArenaLayout, ReusesMemoryOfTheDead) {
  const std::vector<Block> chain{{0, 1, 100}, {1, 2, 100}, {2, 3, 100}, {3, 4, 100}};
  EXPECT_EQ(lay_out(chain, 1).bytes, 200);
  EXPECT_EQ(lay_out(chain, 1).lower_bound, 200);
}

TEST(ArenaLayout, OfNothingIsEmpty) {
  EXPECT_EQ(lay_out({}, 64).bytes, 0);
  const std::vector<Block> hollow{{0, 3, 0}};
  EXPECT_EQ(lay_out(hollow, 64).bytes, 0);
}

TEST(ArenaLayout, HoldsMoreThanFourGigabytes) {
  const std::vector<Block> blocks{{0, 1, std::int64_t{5} << 30}, {1, 2, std::int64_t{6} << 30}};
  EXPECT_EQ(lay_out(blocks, 256).bytes, std::int64_t{11} << 30);
}

TEST(CheckLayout, FindsOverlapMisalignmentAndWhatLiesOutside) {
  const std::vector<Block> blocks{{0, 2, 100}, {1, 3, 100}, {3, 4, 100}};
  ArenaLayout layout = lay_out(blocks, 64);
  EXPECT_NO_THROW(check_layout(blocks, layout, 64));
  for (const std::int64_t wrong :
       {std::int64_t{0}, std::int64_t{64}, std::int64_t{130}, std::int64_t{-64}, layout.bytes}) {
    ArenaLayout broken = layout;
    broken.offsets[0] = 0;
    broken.offsets[1] = wrong;
    EXPECT_THROW(check_layout(blocks, broken, 64), Error) << wrong;
  }
}

}  // namespace
}  // namespace convoy
