#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/planner/block.h"

namespace convoy {

/// A packing problem as the benchmark files of MiniMalloc hold it.
struct ArenaProblem {
  std::vector<std::string> ids;
  std::vector<Block> blocks;
};

/// Reads rows `id,lower,upper,size` under a header of just these names: `size` bytes, alive from step `lower`
/// up to but not including step `upper`. Further columns are ignored. Throws Error(usage) with file and line.
ArenaProblem read_arena_csv(const std::string& file);

/// Writes the problem with a further column `offset`. Throws Error(usage) if it cannot.
void write_arena_csv(const std::string& file, const ArenaProblem& problem,
                     std::span<const std::int64_t> offsets);

}  // namespace convoy
