#include "trainer/planner/exact_layout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bench/arena_csv.h"
#include "tests/trainer/planner/layout_checks.h"

namespace convoy {
namespace {

/// Problems whose best layout has one byte more than is alive at any step; the first are among the smallest.
const std::vector<Block> kAboveTheBound[] = {
    {{0, 0, 2}, {0, 1, 2}, {1, 2, 1}, {1, 3, 1}, {2, 2, 1}, {2, 3, 1}, {3, 4, 2}, {4, 4, 2}},
    {{0, 0, 5}, {0, 2, 1}, {1, 1, 4}, {1, 3, 1}, {2, 2, 3}, {2, 4, 1}, {3, 3, 4}, {4, 4, 5}},
    {{0, 0, 4}, {0, 1, 4}, {1, 3, 3}, {1, 2, 1}, {2, 2, 2}, {2, 3, 2}, {3, 4, 3}, {4, 4, 5}},
    {{0, 0, 3}, {0, 2, 1}, {0, 0, 2}, {1, 1, 4}, {1, 3, 1}, {2, 4, 3}, {2, 2, 1}, {3, 3, 2}, {4, 4, 3}},
};

TEST(ExactLayout, KnowsThatTheLowerBoundCannotBeReached) {
  for (const std::vector<Block>& blocks : kAboveTheBound) {
    const ArenaLayout layout = lay_out(blocks, 1);
    expect_sound(blocks, layout, 1);
    EXPECT_EQ(layout.bytes, fewest_bytes(blocks, 1));
    EXPECT_GT(layout.bytes, layout.lower_bound);
    EXPECT_TRUE(layout.optimal);
    EXPECT_FALSE(lay_out(blocks, 1, {.effort = 0}).optimal);
  }
}

TEST(ExactLayout, FindsTheFewestBytesOfSmallProblems) {
  for (std::uint32_t instance = 0; instance < 1000; ++instance) {
    const bool tight = instance % 2 == 0;
    const std::vector<Block> blocks =
        tight ? tight_blocks(instance, 8) : random_blocks(instance, {6, 8, 12, false});
    const std::int64_t alignment = instance % 3 == 0 ? 4 : 1;
    const ArenaLayout layout = lay_out(blocks, alignment);
    SCOPED_TRACE(instance);
    expect_sound(blocks, layout, alignment);
    EXPECT_EQ(layout.bytes, fewest_bytes(blocks, alignment));
    EXPECT_TRUE(layout.optimal);
    if (HasFailure()) return;
  }
}

/// Without taking apart, first fit, or a lower bound.
TEST(ExactLayout, TellsAtEachCapacityWhetherThereIsALayout) {
  std::vector<std::vector<Block>> problems(std::begin(kAboveTheBound), std::end(kAboveTheBound));
  for (std::uint32_t instance = 0; instance < 300; ++instance) {
    problems.push_back(tight_blocks(instance, 7));
    problems.push_back(random_blocks(instance, {7, 6, 6, false}));
  }
  for (const std::vector<Block>& blocks : problems) {
    const Sections sections = find_sections(blocks);
    const std::int64_t fewest = fewest_bytes(blocks, 1);
    for (std::int64_t capacity = 1; capacity <= fewest + 3; ++capacity) {
      SCOPED_TRACE(capacity);
      std::vector<std::int64_t> offsets(blocks.size());
      std::int64_t effort = 10'000'000;
      const SearchResult result = search_layout(sections, capacity, effort, offsets);
      ASSERT_EQ(result, capacity < fewest ? SearchResult::impossible : SearchResult::found);
      if (result != SearchResult::found) continue;
      ArenaLayout layout;
      layout.offsets = offsets;
      layout.bytes = capacity;
      ASSERT_NO_THROW(check_layout(blocks, layout, 1));
    }
  }
}

TEST(ExactLayout, GivesUpWhenTheEffortIsSpent) {
  const ArenaProblem problem = read_arena_csv(CONVOY_SOURCE "/tests/data/arena/F.csv");
  const Sections sections = find_sections(problem.blocks);
  std::vector<std::int64_t> offsets(problem.blocks.size());
  std::int64_t effort = 2'000'000;
  EXPECT_EQ(search_layout(sections, 1048576, effort, offsets), SearchResult::gave_up);
  EXPECT_EQ(effort, 0);
  EXPECT_EQ(std::count(offsets.begin(), offsets.end(), 0), static_cast<std::ptrdiff_t>(offsets.size()));
}

/// Hard problems of the MiniMalloc paper, with the effort that a plan may take.
class Hard : public testing::TestWithParam<const char*> {};

TEST_P(Hard, IsPackedIntoAMebibyte) {
  const ArenaProblem problem =
      read_arena_csv(std::string(CONVOY_SOURCE "/tests/data/arena/") + GetParam() + ".csv");
  const ArenaLayout layout = lay_out(problem.blocks, 1, {.enough = 1048576});
  EXPECT_LE(layout.bytes, 1048576);
  EXPECT_NO_THROW(check_layout(problem.blocks, layout, 1));
  EXPECT_EQ(layout.method, LayoutMethod::exact_search);
  EXPECT_EQ(layout.optimal, layout.bytes == layout.lower_bound);
}

INSTANTIATE_TEST_SUITE_P(Files, Hard, testing::Values("A", "B", "D", "F", "H"),
                         [](const auto& file) { return std::string(file.param); });

}  // namespace
}  // namespace convoy
