#pragma once

#include <cstdint>

namespace convoy {

/// A block to be placed: alive from step `first` to step `last`, both included.
struct Block {
  int first = 0;
  int last = 0;
  std::int64_t bytes = 0;

  bool alive_with(const Block& other) const { return first <= other.last && other.first <= last; }
  auto operator<=>(const Block&) const = default;
};

}  // namespace convoy
