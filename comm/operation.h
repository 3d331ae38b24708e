#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.h"

namespace convoy {

enum class Collective : std::uint8_t { all_reduce, reduce_scatter, all_gather, broadcast, barrier, shutdown };

/// What a rank was asked to do. `data` is in host memory and belongs to the caller.
struct Operation {
  Collective collective = Collective::barrier;
  void* data = nullptr;
  std::int64_t count = 0;  ///< elements: of all data (all_reduce, broadcast) or of one rank's slice
  Element element = Element::u8;
  Reduction reduction = Reduction::sum;
  int root = 0;
  std::string name;

  std::int64_t bytes() const { return count * size_of(element); }
  /// "'gradient bucket 3' (all-reduce of 400000 fp32)".
  std::string text() const;
  /// Equal on two ranks that do the same operation; differs otherwise but for chance.
  std::uint64_t signature() const;
};

/// Throws Error(internal) for a negative count, a root that is no rank, or missing data.
void check(const Operation& operation, int size);

}  // namespace convoy
