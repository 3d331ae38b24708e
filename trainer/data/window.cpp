#include "trainer/data/window.h"

#include <algorithm>
#include <cstring>

namespace convoy {
namespace {

/// Copies one row of the window; what lies outside of the stored row is zero.
void copy_row(const Image& in, std::int64_t y, std::int64_t x, std::int64_t width, std::uint8_t* out) {
  if (y < 0 || y >= in.height) {
    std::memset(out, 0, static_cast<std::size_t>(width * in.channels));
    return;
  }
  const std::int64_t left = std::clamp<std::int64_t>(-x, 0, width);
  const std::int64_t right = std::clamp<std::int64_t>(in.width - x, left, width);
  const std::uint8_t* row = in.pixels.data() + y * in.width * in.channels;
  std::memset(out, 0, static_cast<std::size_t>(left * in.channels));
  std::memcpy(out + left * in.channels, row + (x + left) * in.channels,
              static_cast<std::size_t>((right - left) * in.channels));
  std::memset(out + right * in.channels, 0, static_cast<std::size_t>((width - right) * in.channels));
}

void mirror_row(std::uint8_t* row, std::int64_t width, std::int64_t channels) {
  if (channels == 1) {
    std::reverse(row, row + width);
    return;
  }
  std::uint8_t* left = row;
  std::uint8_t* right = row + (width - 1) * channels;
  for (; left < right; left += channels, right -= channels) std::swap_ranges(left, left + channels, right);
}

}  // namespace

void copy_window(const Image& in, std::int64_t top, std::int64_t left, bool mirror, Shape output,
                 std::uint8_t* out) {
  const std::int64_t row_bytes = output.width * output.channels;
  for (std::int64_t y = 0; y < output.height; ++y, out += row_bytes) {
    copy_row(in, top + y, left, output.width, out);
    if (mirror) mirror_row(out, output.width, output.channels);
  }
}

void mirror_rows(std::uint8_t* pixels, Shape shape) {
  const std::int64_t row_bytes = shape.width * shape.channels;
  for (std::int64_t y = 0; y < shape.height; ++y, pixels += row_bytes)
    mirror_row(pixels, shape.width, shape.channels);
}

}  // namespace convoy
