#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/planner/block.h"

namespace convoy {

/// How a layout was found, in the order in which the means are tried. See first_fit.h and exact_layout.h.
enum class LayoutMethod : std::uint8_t {
  stacked,       ///< nothing to choose: what lives throughout lies below what does not
  by_size,       ///< first fit, the largest first
  by_life,       ///< first fit, the longest-lived first
  by_area,       ///< first fit, by bytes times life
  by_pressure,   ///< first fit, what is alive at the fullest moments first
  by_birth,      ///< first fit, in order of birth
  exact_search,  ///< Moffitt 2023
};
std::string name_of(LayoutMethod method);

struct ArenaLayout {
  std::vector<std::int64_t> offsets;            ///< by block; multiples of the alignment
  std::int64_t bytes = 0;                       ///< end of the highest block
  std::int64_t lower_bound = 0;                 ///< largest sum of the (aligned) bytes alive at one step
  int peak_step = 0;                            ///< the first step of that sum
  LayoutMethod method = LayoutMethod::stacked;  ///< the last of the means that a part of the layout needed
  bool optimal = false;  ///< no layout has fewer bytes: it meets the lower bound, or the search has shown it
  std::int64_t effort = 0;  ///< spent by the exact search
};

/// How hard to try. There is no clock in it, because all ranks must find the same layout: the exact search is
/// capped by the number of blocks and sections it looks at.
struct LayoutOptions {
  static constexpr std::int64_t kSecond = 500'000'000;  ///< effort of about a second on one core

  std::int64_t effort = kSecond;  ///< of the exact search; 0: first fit alone
  /// Bytes that are good enough; 0: the lower bound. Where that is above them no layout is good enough, and
  /// first fit alone is tried.
  std::int64_t enough = 0;
  /// Bytes that there are; 0: as many as it takes. Where the lower bound is above them, first fit alone is
  /// tried.
  std::int64_t available = 0;
  /// Part of the lower bound by which first fit may miss it before it is searched exactly.
  double tolerated = 0;
};

/// Places blocks so that no two that are alive at one step overlap, in few bytes: a pure function of its
/// arguments, and `bytes` does not depend on the order of the blocks. Takes the problem apart (pieces.h),
/// tries first fit in several orders on each piece, and searches exactly where that is not enough.
/// `alignment` is a power of two; blocks of no bytes get offset 0.
ArenaLayout lay_out(std::span<const Block> blocks, std::int64_t alignment, const LayoutOptions& options = {});

/// Throws Error(internal) that names the first pair of blocks (in time) which are alive together and overlap,
/// or a block that lies outside [0, layout.bytes) or is not aligned. Independent of how the layout was found.
void check_layout(std::span<const Block> blocks, const ArenaLayout& layout, std::int64_t alignment);

}  // namespace convoy
