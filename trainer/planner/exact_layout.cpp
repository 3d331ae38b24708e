#include "trainer/planner/exact_layout.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "layers/core/index.h"
#include "trainer/planner/preorder.h"
#include "trainer/planner/search_state.h"

namespace convoy {
namespace {

class ExactSearch {
 public:
  ExactSearch(const Sections& sections, std::int64_t capacity, Preorder preorder, std::int64_t effort)
      : state_(sections, capacity), blocks_(state_.blocks()), preorder_(preorder), effort_(effort) {}

  SearchResult run() {
    Part all{0, state_.sections() - 1, std::vector<int>(blocks_.size())};
    std::iota(all.members.begin(), all.members.end(), 0);
    sort_members(all.members, preorder_, state_);
    return place_next(all, {0, 0});
  }

  std::int64_t effort_left() const { return std::max<std::int64_t>(effort_ - state_.visits(), 0); }
  std::int64_t offset(std::size_t block) const { return state_.offset(static_cast<int>(block)); }

 private:
  /// Sections, and the blocks in them that are not placed yet, sorted.
  struct Part {
    int first, last;
    std::vector<int> members;
  };
  struct Candidate {
    std::int64_t offset;
    std::size_t position;  ///< in the members
    auto operator<=>(const Candidate&) const = default;
  };

  /// What can come next. Blocks are placed in order of their offsets, at one offset in their order in
  /// `members`, so that each layout in which no block can sink is met once; the last one was placed at
  /// `least`. Dominance: no gap is left that a block would fit into as a whole.
  std::vector<Candidate> candidates(const Part& part, const Candidate& least) const {
    std::int64_t ceiling = std::numeric_limits<std::int64_t>::max();
    for (const int i : part.members) ceiling = std::min(ceiling, state_.low(i) + blocks_[index(i)].bytes);
    std::vector<Candidate> found;
    for (std::size_t p = 0; p < part.members.size(); ++p) {
      const Candidate candidate{state_.low(part.members[p]), p};
      if (candidate.offset < ceiling && candidate >= least) found.push_back(candidate);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  SearchResult place_next(const Part& part, const Candidate& least) {
    if (part.members.empty()) return SearchResult::found;
    const Block* before = nullptr;
    for (const Candidate& candidate : candidates(part, least)) {
      const int i = part.members[candidate.position];
      if (before != nullptr && *before == blocks_[index(i)]) continue;  // its twin has been tried
      before = &blocks_[index(i)];
      if (state_.visits() >= effort_) return SearchResult::gave_up;
      const std::size_t depth = state_.depth();
      const SearchState::Outcome outcome = state_.place(i, part.members, part.first, part.last);
      if (outcome.fits) {
        Part rest{part.first, part.last, part.members};
        rest.members.erase(rest.members.begin() + static_cast<std::ptrdiff_t>(candidate.position));
        const SearchResult result = place_rest(rest, blocks_[index(i)], candidate);
        if (result != SearchResult::impossible) return result;
      }
      state_.take_back(depth);
      if (!outcome.covered) break;  // nothing will lie on it, so no later place of it can help the others
    }
    return SearchResult::impossible;
  }

  /// Goes on with the rest, part by part where the block just placed was the last to hold them together.
  SearchResult place_rest(const Part& rest, const Block& placed, const Candidate& candidate) {
    std::vector<Part> parts;
    int first = rest.first;
    for (int s = placed.first; s < placed.last; ++s) {
      if (state_.joined(s)) continue;
      parts.push_back({first, s, {}});
      first = s + 1;
    }
    if (parts.empty()) return place_next(rest, candidate);
    parts.push_back({first, rest.last, {}});
    for (const int i : rest.members) {
      std::size_t p = 0;
      while (blocks_[index(i)].first > parts[p].last) ++p;
      parts[p].members.push_back(i);
    }
    for (Part& part : parts) {
      sort_members(part.members, preorder_, state_);
      const SearchResult result = place_next(part, {0, 0});
      if (result != SearchResult::found) return result;
    }
    return SearchResult::found;
  }

  SearchState state_;
  const std::vector<Block>& blocks_;
  Preorder preorder_;
  std::int64_t effort_;
};

}  // namespace

SearchResult search_layout(const Sections& sections, std::int64_t capacity, std::int64_t& effort,
                           std::span<std::int64_t> offsets) {
  const std::vector<std::int64_t> totals = section_totals(sections);
  if (std::any_of(totals.begin(), totals.end(), [&](std::int64_t total) { return total > capacity; })) {
    return SearchResult::impossible;
  }
  // Which order is lucky differs by problem: each gets a turn, at first for a few dives to the last block,
  // and the turns of each round are longer.
  const auto size = static_cast<std::int64_t>(sections.blocks.size());
  std::int64_t spans = 0;
  for (const Block& block : sections.blocks) spans += block.last - block.first + 1;
  for (std::int64_t turn = size * (4 * size + spans) / 2 + 1;; turn *= 3) {
    for (const Preorder preorder : kPreorders) {
      if (effort <= 0) return SearchResult::gave_up;
      const std::int64_t allowed = std::min(turn, effort);
      ExactSearch search(sections, capacity, preorder, allowed);
      const SearchResult result = search.run();
      effort -= allowed - search.effort_left();
      if (result == SearchResult::found) {
        for (std::size_t i = 0; i < offsets.size(); ++i) offsets[i] = search.offset(i);
      }
      if (result != SearchResult::gave_up) return result;
    }
  }
}

}  // namespace convoy
