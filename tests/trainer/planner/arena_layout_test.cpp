#include <gtest/gtest.h>

#include <algorithm>

#include "layers/core/error.h"
#include "tests/trainer/planner/layout_checks.h"
#include "trainer/planner/arena_layout.h"

namespace convoy {
namespace {

constexpr LayoutOptions kFirstFit{.effort = 0};
constexpr LayoutOptions kBrief{.effort = 1'000'000};

TEST(ArenaLayout, NeverOverlapsAndStaysAlignedOnRandomBlocks) {
  for (std::uint32_t instance = 0; instance < 300; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance);
    for (const std::int64_t alignment : {1, 64, 256}) {
      for (const LayoutOptions& options : {kFirstFit, kBrief}) {
        const ArenaLayout layout = lay_out(blocks, alignment, options);
        SCOPED_TRACE(instance);
        expect_sound(blocks, layout, alignment);
        EXPECT_NO_THROW(check_layout(blocks, layout, alignment));
        EXPECT_LE(layout.effort, options.effort);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(ArenaLayout, SearchingNeverTakesMoreBytesThanFirstFit) {
  int fewer = 0;
  for (std::uint32_t instance = 0; instance < 200; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {60, 30, 50, false});
    const std::int64_t first_fit = lay_out(blocks, 1, kFirstFit).bytes;
    const std::int64_t searched = lay_out(blocks, 1, kBrief).bytes;
    EXPECT_LE(searched, first_fit) << instance;
    fewer += searched < first_fit ? 1 : 0;
  }
  EXPECT_GT(fewer, 20);  // or the instances show nothing
}

TEST(ArenaLayout, IsAPureFunctionOfTheBlocks) {
  for (std::uint32_t instance = 0; instance < 50; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {100, 40, 60, true});
    const ArenaLayout layout = lay_out(blocks, 64, kBrief);
    const ArenaLayout again = lay_out(blocks, 64, kBrief);
    EXPECT_EQ(layout.offsets, again.offsets);
    EXPECT_EQ(layout.effort, again.effort);
  }
}

TEST(ArenaLayout, TakesTheSameBytesInWhateverOrderTheBlocksCome) {
  for (std::uint32_t instance = 0; instance < 50; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {100, 40, 60, true});
    const ArenaLayout layout = lay_out(blocks, 1, kBrief);
    const ArenaLayout other = lay_out(shuffled(blocks, instance), 1, kBrief);
    EXPECT_EQ(layout.bytes, other.bytes) << instance;
    EXPECT_EQ(layout.method, other.method) << instance;
    EXPECT_EQ(layout.effort, other.effort) << instance;
  }
}

TEST(ArenaLayout, ReusesMemoryOfTheDead) {
  const std::vector<Block> chain{{0, 1, 100}, {1, 2, 100}, {2, 3, 100}, {3, 4, 100}};
  EXPECT_EQ(lay_out(chain, 1).bytes, 200);
  EXPECT_EQ(lay_out(chain, 1).lower_bound, 200);
}

TEST(ArenaLayout, StacksWhatLivesThroughoutAtTheBottom) {
  // Two flat buffers, and activations that wait for their backward step, one within the other.
  const std::vector<Block> blocks{{3, 4, 10}, {2, 5, 20}, {0, 9, 300}, {1, 6, 40}, {0, 9, 500}, {8, 8, 7}};
  const ArenaLayout layout = lay_out(blocks, 1);
  EXPECT_EQ(layout.bytes, 870);
  EXPECT_EQ(layout.method, LayoutMethod::stacked);
  EXPECT_TRUE(layout.optimal);
  EXPECT_EQ(layout.offsets, (std::vector<std::int64_t>{860, 840, 0, 800, 300, 800}));
}

TEST(ArenaLayout, OfOneStepIsAStack) {
  const ArenaLayout layout = lay_out(std::vector<Block>{{4, 4, 3}, {4, 4, 5}, {4, 4, 64}, {4, 4, 5}}, 64);
  EXPECT_EQ(layout.bytes, 256);
  EXPECT_EQ(layout.peak_step, 4);
  EXPECT_TRUE(layout.optimal);
}

TEST(ArenaLayout, OfIdenticalBlocksIsAStackOfEach) {
  std::vector<Block> blocks(40, Block{2, 5, 10});
  blocks.insert(blocks.end(), 30, Block{4, 8, 10});
  blocks.insert(blocks.end(), 40, Block{6, 9, 10});
  expect_sound(blocks, lay_out(blocks, 1), 1);
  EXPECT_EQ(lay_out(blocks, 1).bytes, 700);
}

TEST(ArenaLayout, OfNothingIsEmpty) {
  EXPECT_EQ(lay_out({}, 64).bytes, 0);
  EXPECT_TRUE(lay_out({}, 64).optimal);
  const std::vector<Block> hollow{{0, 3, 0}};
  EXPECT_EQ(lay_out(hollow, 64).bytes, 0);
  EXPECT_EQ(lay_out(hollow, 64).offsets, std::vector<std::int64_t>{0});
}

TEST(ArenaLayout, HoldsMoreThanFourGigabytes) {
  const std::vector<Block> blocks{{0, 1, std::int64_t{5} << 30}, {1, 2, std::int64_t{6} << 30}};
  EXPECT_EQ(lay_out(blocks, 256).bytes, std::int64_t{11} << 30);
}

TEST(ArenaLayout, StopsAtWhatIsEnough) {
  for (std::uint32_t instance = 0; instance < 100; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {60, 30, 50, false});
    const ArenaLayout first_fit = lay_out(blocks, 1, kFirstFit);
    const ArenaLayout enough = lay_out(blocks, 1, {.enough = first_fit.bytes});
    EXPECT_LE(enough.bytes, first_fit.bytes);
    EXPECT_EQ(enough.effort, 0);
  }
}

TEST(ArenaLayout, DoesNotSearchForWhatThereIsNoRoomFor) {
  int searched = 0;
  for (std::uint32_t instance = 0; instance < 100; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {60, 30, 50, false});
    const ArenaLayout tight = lay_out(blocks, 1);
    searched += tight.effort > 0 ? 1 : 0;
    const ArenaLayout hopeless = lay_out(blocks, 1, {.available = tight.lower_bound - 1});
    EXPECT_EQ(hopeless.effort, 0);
    EXPECT_EQ(hopeless.bytes, lay_out(blocks, 1, kFirstFit).bytes);
    EXPECT_EQ(lay_out(blocks, 1, {.available = tight.lower_bound}).bytes, tight.bytes);
  }
  EXPECT_GT(searched, 20);  // or the instances show nothing
}

TEST(ArenaLayout, SearchesOnlyForMoreThanIsTolerated) {
  int searched = 0;
  for (std::uint32_t instance = 0; instance < 100; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {60, 30, 50, false});
    const ArenaLayout first_fit = lay_out(blocks, 1, kFirstFit);
    const auto missed = static_cast<double>(first_fit.bytes - first_fit.lower_bound);
    const double part = missed / static_cast<double>(first_fit.lower_bound);
    EXPECT_EQ(lay_out(blocks, 1, {.tolerated = part * 1.01}).effort, 0);
    searched += lay_out(blocks, 1, {.tolerated = part * 0.99}).effort > 0 ? 1 : 0;
  }
  EXPECT_GT(searched, 20);
}

TEST(ArenaLayout, RefusesWhatIsNoBlock) {
  EXPECT_THROW(lay_out(std::vector<Block>{{3, 2, 8}}, 1), Error);
  EXPECT_THROW(lay_out(std::vector<Block>{{2, 3, -8}}, 1), Error);
  const std::vector<Block> huge(3, Block{0, 0, std::int64_t{1} << 59});
  EXPECT_THROW(lay_out(huge, 1), Error);
}

}  // namespace
}  // namespace convoy
