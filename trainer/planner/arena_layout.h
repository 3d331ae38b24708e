#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace convoy {

/// A block to be placed: alive from step `first` to step `last`, both included.
struct Block {
  int first = 0;
  int last = 0;
  std::int64_t bytes = 0;
};

struct ArenaLayout {
  std::vector<std::int64_t> offsets;  ///< by block; multiples of the alignment
  std::int64_t bytes = 0;             ///< end of the highest block
  std::int64_t lower_bound = 0;       ///< largest sum of the (aligned) bytes alive at one step
  int peak_step = 0;                  ///< the step of that sum
};

/// Places blocks so that no two that are alive at one step overlap: first fit, the largest block first (of
/// equal ones the longer-lived). `alignment` is a power of two; blocks of no bytes get offset 0.
ArenaLayout lay_out(std::span<const Block> blocks, std::int64_t alignment);

/// Throws Error(internal) that names the first pair of blocks which are alive together and overlap, or a
/// block that lies outside [0, layout.bytes) or is not aligned. Independent of how the layout was found.
void check_layout(std::span<const Block> blocks, const ArenaLayout& layout, std::int64_t alignment);

}  // namespace convoy
