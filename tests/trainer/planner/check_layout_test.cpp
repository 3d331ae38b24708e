#include <gtest/gtest.h>

#include "layers/core/error.h"
#include "layers/core/philox.h"
#include "tests/trainer/planner/layout_checks.h"
#include "trainer/planner/arena_layout.h"

namespace convoy {
namespace {

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
  layout.offsets.pop_back();
  EXPECT_THROW(check_layout(blocks, layout, 64), Error);
}

TEST(CheckLayout, NamesTheTwoAndTheStep) {
  const std::vector<Block> blocks{{0, 1, 10}, {5, 9, 10}, {0, 5, 10}};
  ArenaLayout layout;
  layout.offsets = {10, 9, 0};
  layout.bytes = 20;
  try {
    check_layout(blocks, layout, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "blocks 1 and 2 are alive together at step 5 and overlap in the arena");
    EXPECT_EQ(error.code(), ExitCode::internal);
  }
}

bool overlaps(const std::vector<Block>& blocks, const std::vector<std::int64_t>& offsets) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (blocks[i].first <= blocks[j].last && blocks[j].first <= blocks[i].last && blocks[i].bytes > 0 &&
          blocks[j].bytes > 0 && offsets[i] < offsets[j] + blocks[j].bytes &&
          offsets[j] < offsets[i] + blocks[i].bytes) {
        return true;
      }
    }
  }
  return false;
}

/// One block of a sound layout is moved to where another lies, or near it.
TEST(CheckLayout, AgreesWithEveryPairOnLayoutsThatWereTamperedWith) {
  int overlapping = 0;
  int sound = 0;
  for (std::uint32_t instance = 0; instance < 300; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {40, 20, 40, true});
    ArenaLayout layout = lay_out(blocks, 1, {.effort = 0});
    layout.bytes = std::int64_t{1} << 40;
    const RandomStream random(9, Purpose::synthetic, instance);
    const auto count = static_cast<std::uint32_t>(blocks.size());
    for (std::uint64_t k = 0; k < 20; ++k) {
      ArenaLayout broken = layout;
      const std::uint32_t to = uniform_below(random.word(0, 0, 3 * k + 1), count);
      broken.offsets[uniform_below(random.word(0, 0, 3 * k), count)] =
          layout.offsets[to] + uniform_below(random.word(0, 0, 3 * k + 2), 60);
      if (overlaps(blocks, broken.offsets)) {
        ++overlapping;
        EXPECT_THROW(check_layout(blocks, broken, 1), Error) << instance;
      } else {
        ++sound;
        EXPECT_NO_THROW(check_layout(blocks, broken, 1)) << instance;
      }
    }
  }
  EXPECT_GT(overlapping, 1000);
  EXPECT_GT(sound, 1000);
}

}  // namespace
}  // namespace convoy
