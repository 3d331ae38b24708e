#pragma once

#include <cstdint>
#include <vector>

namespace convoy {

/// Decoded pixels: 8 bits, rows of interleaved channels (HWC), `channels * height * width` bytes.
struct Image {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;
};

}  // namespace convoy
