#include "trainer/planner/search_state.h"

#include <algorithm>
#include <limits>

namespace convoy {
namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();  // above every place

}  // namespace

SearchState::SearchState(const Sections& sections, std::int64_t capacity)
    : sections_(sections),
      blocks_(sections.blocks),
      capacity_(capacity),
      offsets_(blocks_.size()),
      lows_(blocks_.size()),
      totals_(at(sections.count)),
      floors_(at(sections.count)),
      crossing_(at(sections.count)) {
  for (const Block& block : blocks_) count(block, +1);
}

void SearchState::count(const Block& block, int sign) {
  for (int s = block.first; s <= block.last; ++s) totals_[at(s)] += sign * block.bytes;
  for (int s = block.first; s < block.last; ++s) crossing_[at(s)] += sign;
}

std::int64_t SearchState::pressure(int block) const {
  const auto begin = totals_.begin();
  return *std::max_element(begin + blocks_[at(block)].first, begin + blocks_[at(block)].last + 1);
}

void SearchState::raise(int block, std::int64_t low) {
  raised_.push_back({block, lows_[at(block)]});
  lows_[at(block)] = low;
}

bool SearchState::fit_above(std::int64_t floor, int first, int last) const {
  for (int s = first; s <= last; ++s) {
    if (totals_[at(s)] > 0 && std::max(floor, floors_[at(s)]) > capacity_ - totals_[at(s)]) return false;
  }
  return true;
}

void SearchState::find_floors(const std::vector<int>& others, int first, int last) {
  for (int s = first; s <= last; ++s) {
    lifted_.push_back({s, floors_[at(s)]});
    floors_[at(s)] = kNone;
  }
  for (const int i : others) {
    const std::int64_t low = lows_[at(i)];
    const int begin = std::max(first, blocks_[at(i)].first);
    const int end = std::min(last, blocks_[at(i)].last);
    for (int s = begin; s <= end; ++s) floors_[at(s)] = std::min(floors_[at(s)], low);
    visits_ += std::max(end - begin, 0);
  }
}

SearchState::Outcome SearchState::place(int block, const std::vector<int>& others, int first, int last) {
  const Block& placed = blocks_[at(block)];
  const std::int64_t offset = lows_[at(block)];
  const std::int64_t top = offset + placed.bytes;
  visits_ += static_cast<std::int64_t>(others.size()) + last - first;
  placed_.push_back({block, raised_.size(), lifted_.size()});
  count(placed, -1);
  offsets_[at(block)] = offset;
  raise(block, kNone);
  const bool covered = std::any_of(totals_.begin() + placed.first, totals_.begin() + placed.last + 1,
                                   [](std::int64_t total) { return total > 0; });
  // What takes little time to see comes first; it mostly decides.
  if (!fit_above(top, placed.first, placed.last) || !fit_above(offset, first, last)) return {covered, false};
  visits_ += 4 * static_cast<std::int64_t>(others.size());  // twice, and each takes longer than a section
  int begin = placed.first;                                 // the sections of all that rises
  int end = placed.last;
  for (const int i : others) {
    const Block& other = blocks_[at(i)];
    if (lows_[at(i)] >= top || !other.alive_with(placed)) continue;
    raise(i, top);
    begin = std::min(begin, other.first);
    end = std::max(end, other.last);
  }
  find_floors(others, begin, end);
  return {covered, fit_above(offset, begin, end)};
}

void SearchState::take_back(std::size_t depth) {
  for (; placed_.size() > depth; placed_.pop_back()) {
    const Placed& last = placed_.back();
    count(blocks_[at(last.block)], +1);
    for (; raised_.size() > last.raised; raised_.pop_back()) {
      lows_[at(raised_.back().index)] = raised_.back().value;
    }
    for (; lifted_.size() > last.lifted; lifted_.pop_back()) {
      floors_[at(lifted_.back().index)] = lifted_.back().value;
    }
  }
}

}  // namespace convoy
