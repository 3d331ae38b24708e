#include "trainer/planner/pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/trainer/planner/layout_checks.h"

namespace convoy {
namespace {

TEST(Sections, AreTheLargestSetsAliveAtOneStep) {
  // Steps:      0 1 2 3 4 5 6 7 8
  //   block 0   = = =
  //   block 1     = = = =
  //   block 2           = = =
  //   block 3                   = =
  const Sections sections = find_sections(std::vector<Block>{{0, 2, 5}, {1, 4, 7}, {4, 6, 1}, {7, 8, 2}});
  EXPECT_EQ(sections.count, 3);
  EXPECT_THAT(sections.blocks,
              testing::ElementsAre(Block{0, 0, 5}, Block{0, 1, 7}, Block{1, 1, 1}, Block{2, 2, 2}));
  EXPECT_THAT(sections.lives, testing::ElementsAre(3, 4, 3, 2));
  EXPECT_THAT(section_totals(sections), testing::ElementsAre(12, 8, 2));
}

TEST(Sections, KeepWhoMeetsWhomAndThePeak) {
  for (std::uint32_t instance = 0; instance < 300; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {60, 40, 50, true});
    const Sections sections = find_sections(blocks);
    EXPECT_LE(sections.count, static_cast<int>(blocks.size()));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      ASSERT_LE(sections.blocks[i].first, sections.blocks[i].last);
      for (std::size_t j = 0; j < i; ++j) {
        ASSERT_EQ(sections.blocks[i].alive_with(sections.blocks[j]), blocks[i].alive_with(blocks[j]));
      }
    }
    const std::vector<std::int64_t> totals = section_totals(sections);
    EXPECT_EQ(*std::max_element(totals.begin(), totals.end()), find_peak(blocks).bytes);
  }
}

TEST(Pieces, HoldEachBlockOnceAndNoneThatLivesThroughout) {
  for (std::uint32_t instance = 0; instance < 300; ++instance) {
    const std::vector<Block> blocks = random_blocks(instance, {60, 40, 50, false});
    std::vector<std::int64_t> offsets(blocks.size(), -1);
    const std::vector<Piece> pieces = cut_into_pieces(blocks, offsets);
    std::vector<int> times(blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) times[i] = offsets[i] >= 0 ? 1 : 0;
    for (const Piece& piece : pieces) {
      ASSERT_EQ(piece.members.size(), piece.sections.blocks.size());
      for (std::size_t k = 0; k < piece.members.size(); ++k) {
        ++times[piece.members[k]];
        const Block& block = piece.sections.blocks[k];
        EXPECT_FALSE(block.first == 0 && block.last == piece.sections.count - 1);
        EXPECT_EQ(block.bytes, blocks[piece.members[k]].bytes);
      }
    }
    EXPECT_THAT(times, testing::Each(1)) << instance;
  }
}

TEST(Pieces, OfAProgramWithTwoSegmentsLieOnTheFlatBuffers) {
  // A flat buffer; in steps 0 to 9 and 10 to 19 the same entangled blocks on one that lives through the
  // segment.
  std::vector<Block> blocks{{0, 19, 1000}};
  for (const int at : {0, 10}) {
    for (const Block& block :
         {Block{0, 9, 100}, Block{1, 3, 6}, Block{2, 5, 5}, Block{4, 7, 4}, Block{6, 8, 3}}) {
      blocks.push_back({at + block.first, at + block.last, block.bytes});
    }
  }
  std::vector<std::int64_t> offsets(blocks.size());
  const std::vector<Piece> pieces = cut_into_pieces(blocks, offsets);
  ASSERT_EQ(pieces.size(), 2U);
  for (const Piece& piece : pieces) {
    EXPECT_EQ(piece.base, 1100);
    EXPECT_EQ(piece.members.size(), 4U);
  }
  EXPECT_EQ(offsets[0], 0);
  EXPECT_EQ(offsets[1], 1000);
}

}  // namespace
}  // namespace convoy
