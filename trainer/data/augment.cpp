#include "trainer/data/augment.h"

#include <algorithm>
#include <cstring>

#include "layers/core/error.h"

namespace convoy {
namespace {

/// Where the output's window starts in the stored image; negative in the padding.
struct Window {
  std::int64_t y;
  std::int64_t x;
};

std::int64_t draw_start(std::int64_t stored, std::int64_t output, std::int64_t padding, std::uint32_t word) {
  if (padding == 0) return (stored - output) / 2;
  const std::int64_t places = stored + 2 * padding - output + 1;
  return uniform_below(word, static_cast<std::uint32_t>(places)) - padding;
}

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

void check_augmentation(const Augmentation& augmentation, Shape stored, Shape output) {
  if (augmentation.crop != CropKind::window && stored.channels == output.channels && output.elements() > 0)
    return;  // it resizes
  const std::int64_t padding = 2 * std::int64_t{augmentation.crop_padding};
  const bool tall = stored.height > 0 && output.height > stored.height + padding;
  const bool wide = stored.width > 0 && output.width > stored.width + padding;
  if (stored.channels != output.channels || tall || wide || output.elements() < 1) {
    fail(ExitCode::usage,
         "the images are {} x {} x {} (channels, height, width){}, the network takes {} x {} x {}; give the "
         "network the images' shape as its input{}",
         stored.channels, stored.height, stored.width,
         padding > 0 ? fmt::format(" padded by {}", augmentation.crop_padding) : "", output.channels,
         output.height, output.width, tall || wide ? ", or set data.crop_padding" : "");
  }
}

void augment(const Augmentation& augmentation, const RandomStream& stream, std::int64_t epoch,
             std::int64_t index, const Image& in, std::uint8_t* out, Shape output) {
  check_augmentation(augmentation, {in.channels, in.height, in.width}, output);
  Window window{(in.height - output.height) / 2, (in.width - output.width) / 2};
  bool mirror = false;
  if (!augmentation.centred && (augmentation.crop_padding > 0 || augmentation.flip)) {
    // Word 0 moves the window down, word 1 right, word 2 mirrors: part of what a resumed run repeats.
    const Random4 words =
        stream.block(static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index), 0);
    window.y = draw_start(in.height, output.height, augmentation.crop_padding, words.word[0]);
    window.x = draw_start(in.width, output.width, augmentation.crop_padding, words.word[1]);
    mirror = augmentation.flip && (words.word[2] >> 31) != 0;
  }
  const std::int64_t row_bytes = output.width * output.channels;
  for (std::int64_t y = 0; y < output.height; ++y, out += row_bytes) {
    copy_row(in, window.y + y, window.x, output.width, out);
    if (mirror) mirror_row(out, output.width, output.channels);
  }
}

}  // namespace convoy
