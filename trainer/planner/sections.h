#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/planner/block.h"

namespace convoy {

/// The largest sum of bytes alive at one step (no layout has fewer bytes), and the first such step.
struct Peak {
  std::int64_t bytes = 0;
  int step = 0;
};
Peak find_peak(std::span<const Block> blocks);

/// Sections are the largest sets of blocks that are alive at one step, in order of time: the only moments
/// that constrain a layout (Moffitt 2023, §3). There are at most as many as blocks.
struct Sections {
  std::vector<Block> blocks;        ///< with the first and last section in place of steps
  std::vector<std::int64_t> lives;  ///< in steps, by block
  int count = 0;
};
Sections find_sections(std::span<const Block> blocks);

/// Bytes alive in each section.
std::vector<std::int64_t> section_totals(const Sections& sections);

}  // namespace convoy
