#include "trainer/planner/arena_layout.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "trainer/planner/exact_layout.h"
#include "trainer/planner/piece_layout.h"

namespace convoy {
namespace {

/// Blocks that hold bytes, aligned, and in an order that does not depend on the caller's.
struct Problem {
  std::vector<Block> blocks;
  std::vector<std::size_t> sources;  ///< the caller's numbers
  std::int64_t unit = 0;             ///< all sums of bytes are multiples of it
};

Problem normalise(std::span<const Block> blocks, std::int64_t alignment) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  Problem problem;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto& [first, last, bytes] = blocks[i];
    if (first > last || bytes < 0 || bytes > kMost - sum) {
      fail(ExitCode::internal, "block {}: {} bytes alive from step {} to {} cannot be laid out", i, bytes,
           first, last);
    }
    if (bytes == 0) continue;
    sum += round_up(bytes, alignment);
    problem.sources.push_back(i);
  }
  std::stable_sort(problem.sources.begin(), problem.sources.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a] < blocks[b]; });
  for (const std::size_t i : problem.sources) {
    const std::int64_t bytes = round_up(blocks[i].bytes, alignment);
    problem.blocks.push_back({blocks[i].first, blocks[i].last, bytes});
    problem.unit = std::gcd(problem.unit, bytes);
  }
  return problem;
}

}  // namespace

std::string name_of(LayoutMethod method) {
  switch (method) {
    case LayoutMethod::stacked:
      return "stacked";
    case LayoutMethod::by_size:
      return "first fit by size";
    case LayoutMethod::by_life:
      return "first fit by life";
    case LayoutMethod::by_area:
      return "first fit by area";
    case LayoutMethod::by_pressure:
      return "first fit by pressure";
    case LayoutMethod::by_birth:
      return "first fit by birth";
    case LayoutMethod::exact_search:
      return "exact search";
  }
  return "";
}

ArenaLayout lay_out(std::span<const Block> blocks, std::int64_t alignment, const LayoutOptions& options) {
  const Problem problem = normalise(blocks, alignment);
  const Peak peak = find_peak(problem.blocks);
  ArenaLayout layout;
  layout.lower_bound = peak.bytes;
  layout.peak_step = peak.step;
  std::int64_t goal = std::max(peak.bytes, options.enough);
  const auto too_few = [&](std::int64_t bytes) { return bytes > 0 && bytes < peak.bytes; };
  const bool hopeless = too_few(options.enough) || too_few(options.available);
  const std::int64_t allowed = hopeless ? 0 : options.effort;
  std::int64_t effort = allowed;
  std::int64_t least = peak.bytes;  // shown to be necessary
  std::vector<std::int64_t> offsets(problem.blocks.size());
  std::vector<PieceLayout> parts;
  for (Piece& piece : cut_into_pieces(problem.blocks, offsets)) {
    parts.push_back(try_first_fit(std::move(piece), goal));
  }
  // The highest part first: the others need not be lower than it turns out to be.
  std::stable_sort(parts.begin(), parts.end(),
                   [](const PieceLayout& a, const PieceLayout& b) { return a.bytes > b.bytes; });
  for (PieceLayout& part : parts) {
    const double missed = static_cast<double>(part.bytes - goal) / static_cast<double>(peak.bytes);
    if (missed > options.tolerated && effort > 0 && part.offsets.size() <= kMostSearched) {
      Improvement improvement(part, peak.bytes, problem.unit, effort);
      improvement.run(goal);
      if (improvement.optimal()) least = std::max(least, part.bytes);
    }
    goal = std::max(goal, part.bytes);
    layout.method = std::max(layout.method, part.method);
    for (std::size_t k = 0; k < part.offsets.size(); ++k) {
      offsets[part.piece.members[k]] = part.piece.base + part.offsets[k];
    }
  }
  layout.offsets.assign(blocks.size(), 0);
  for (std::size_t k = 0; k < offsets.size(); ++k) {
    layout.offsets[problem.sources[k]] = offsets[k];
    layout.bytes = std::max(layout.bytes, offsets[k] + problem.blocks[k].bytes);
  }
  layout.optimal = layout.bytes == least;
  layout.effort = allowed - effort;
  return layout;
}

}  // namespace convoy
