#pragma once

#include <cstdint>
#include <vector>

namespace convoy {

/// 32 bits to 32 well-mixed bits (Wellons' lowbias32). golden_file.py has the same function.
constexpr std::uint32_t mix_bits(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7FEB352DU;
  x = (x ^ (x >> 15)) * 0x846CA68BU;
  return x ^ (x >> 16);
}

/// Number `i` of series `seed`, in [-1, 1), exact in fp32.
constexpr float hashed_value(std::uint32_t seed, std::uint32_t i) {
  return static_cast<float>(mix_bits(i + seed * 0x9E3779B9U) >> 8) * 0x1p-23F - 1.F;
}

/// The first `count` numbers of series `seed`.
inline std::vector<float> hashed_values(std::uint32_t seed, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = hashed_value(seed, static_cast<std::uint32_t>(i));
  return values;
}

}  // namespace convoy
