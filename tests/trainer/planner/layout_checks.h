#pragma once

#include <cstdint>
#include <vector>

#include "trainer/planner/arena_layout.h"

namespace convoy {

/// What a layout must hold, found the slow way: step by step, byte ranges sorted. Fails the running test.
void expect_sound(const std::vector<Block>& blocks, const ArenaLayout& layout, std::int64_t alignment);

/// What random_blocks() draws: up to so many blocks in so many steps, of up to so many bytes but for some.
struct Draw {
  std::uint32_t blocks = 120;
  std::uint32_t steps = 80;
  std::uint32_t bytes = 5000;
  bool hollow = true;  ///< some of no bytes, some of many
};

/// The instance of this number: short-lived blocks mostly, some long-lived.
std::vector<Block> random_blocks(std::uint32_t instance, const Draw& draw = {});

/// `count` blocks or a few more that fill as many bytes, of 4 to 12, at every step: some end, and new ones of
/// the same sum take their place. Rarely there is no layout of so few bytes.
std::vector<Block> tight_blocks(std::uint32_t instance, std::size_t count);

/// The same blocks in another order.
std::vector<Block> shuffled(std::vector<Block> blocks, std::uint32_t instance);

/// The fewest bytes of any layout, by first fit in every order of the blocks. (In order of the offsets of a
/// best layout first fit puts no block higher.) For up to eight blocks or so.
std::int64_t fewest_bytes(const std::vector<Block>& blocks, std::int64_t alignment);

}  // namespace convoy
