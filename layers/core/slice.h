#pragma once

#include <cstdint>

namespace convoy {

/// A part of a flat buffer, in elements.
struct Slice {
  std::int64_t first = 0;
  std::int64_t count = 0;
  friend constexpr bool operator==(const Slice&, const Slice&) = default;
};

}  // namespace convoy
