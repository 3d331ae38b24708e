#pragma once

#include <cstdint>

namespace convoy {

/// Shape of one sample of an activation: channels × height × width. A vector is {n, 1, 1}.
struct Shape {
  std::int64_t channels = 0;
  std::int64_t height = 1;
  std::int64_t width = 1;

  constexpr std::int64_t elements() const { return channels * height * width; }
  constexpr std::int64_t pixels() const { return height * width; }
  friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

}  // namespace convoy
