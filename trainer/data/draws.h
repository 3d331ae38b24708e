#pragma once

#include <cstdint>

namespace convoy {

/// What the augmentations of a sample draw from which blocks of RandomStream(seed, Purpose::augment, 0) at
/// (epoch, index). Part of what a resumed run repeats: never renumber.
namespace draws {
inline constexpr std::uint32_t kPlace = 0;         ///< words: down, right, mirror
inline constexpr std::uint32_t kResizedCrop = 1;   ///< to 10, one block a try
inline constexpr std::uint32_t kJitter = 16;       ///< factors of brightness, contrast, saturation, hue
inline constexpr std::uint32_t kJitterOrder = 17;  ///< word 0: order of the four
inline constexpr std::uint32_t kShift = 18;        ///< and 19: three normal numbers
inline constexpr std::uint32_t kErase = 20;        ///< word 0: whether
inline constexpr std::uint32_t kEraseTries = 21;   ///< to 30, one block a try
inline constexpr std::uint32_t kMixup = 64;        ///< to 191, two gamma numbers of up to 64 tries each
inline constexpr std::uint32_t kErasedPixels = 1U << 16;  ///< 16 bytes a block
}  // namespace draws

/// Uniform in [least, most).
constexpr double uniform_between(double least, double most, std::uint32_t word) {
  return least + (most - least) * (static_cast<double>(word) * 0x1p-32);
}

}  // namespace convoy
