#pragma once

#include <cstdint>
#include <vector>

#include "trainer/planner/sections.h"

namespace convoy {

/// A layout in the making, from the bottom up: which blocks are placed where, and for the others the lowest
/// place they can still have. A block is placed at its lowest place; placings are taken back in reverse.
class SearchState {
 public:
  /// `sections` must outlive it. No block may end above `capacity`.
  SearchState(const Sections& sections, std::int64_t capacity);

  const std::vector<Block>& blocks() const { return sections_.blocks; }
  std::int64_t life(int block) const { return sections_.lives[at(block)]; }
  int sections() const { return sections_.count; }

  std::int64_t offset(int block) const { return offsets_[at(block)]; }  ///< of a placed block

  /// Of a block that is not placed: the lowest place above all placed ones that are alive with it.
  std::int64_t low(int block) const { return lows_[at(block)]; }

  /// The largest sum of unplaced bytes in one of the block's sections.
  std::int64_t pressure(int block) const;

  /// Whether a block that is not placed is alive both in this section and in the next one.
  bool joined(int section) const { return crossing_[at(section)] > 0; }

  struct Outcome {
    bool covered;  ///< another block can still come to lie on it
    bool fits;     ///< as far as can be seen
  };

  /// Places a block. `others` are all unplaced blocks in sections `first` to `last` (it may be among them),
  /// none in these sections crosses their ends, and none will be placed below it. Section inference (Moffitt
  /// 2023) tells whether they can fit: in each section all unplaced bytes lie above the lowest place of any
  /// of them.
  Outcome place(int block, const std::vector<int>& others, int first, int last);

  /// Visits of blocks and sections so far: what the search takes time for.
  std::int64_t visits() const { return visits_; }

  /// Number of placed blocks, and the return to an earlier one.
  std::size_t depth() const { return placed_.size(); }
  void take_back(std::size_t depth);

 private:
  struct Placed {
    int block;
    std::size_t raised, lifted;  ///< lengths of these before
  };
  struct Before {
    int index;
    std::int64_t value;
  };

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  /// Adds the block to (+1), or takes it from (-1), the unplaced ones.
  void count(const Block& block, int sign);
  void raise(int block, std::int64_t low);
  /// Whether what is not placed in these sections fits above both its floors and `floor`.
  bool fit_above(std::int64_t floor, int first, int last) const;
  void find_floors(const std::vector<int>& others, int first, int last);

  const Sections& sections_;
  const std::vector<Block>& blocks_;
  std::int64_t capacity_;
  std::int64_t visits_ = 0;
  std::vector<std::int64_t> offsets_;  ///< by block
  std::vector<std::int64_t> lows_;     ///< by block
  std::vector<std::int64_t> totals_;   ///< by section: sum of unplaced bytes
  std::vector<std::int64_t> floors_;   ///< by section: least low of its unplaced blocks
  std::vector<int> crossing_;          ///< by section: unplaced blocks that are alive in the next one too
  std::vector<Placed> placed_;
  std::vector<Before> raised_;  ///< lows
  std::vector<Before> lifted_;  ///< floors
};

}  // namespace convoy
