#include "trainer/data/augment.h"

#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/data/draws.h"
#include "trainer/data/window.h"

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

}  // namespace

void check_colours(const Augmentation& augmentation, std::int64_t channels) {
  const char* key = augmentation.jitter.saturation > 0 ? "saturation"
                    : augmentation.jitter.hue > 0      ? "hue"
                    : augmentation.shift.sigma > 0     ? "colour_shift"
                                                       : nullptr;
  if (key == nullptr || channels == 3) return;
  fail(ExitCode::usage, "data.{} changes colours, but the images have {}; set it to 0", key,
       counted(channels, "channel"));
}

void check_augmentation(const Augmentation& augmentation, Shape stored, Shape output) {
  check_colours(augmentation, stored.channels);
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
        stream.block(static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index), draws::kPlace);
    window.y = draw_start(in.height, output.height, augmentation.crop_padding, words.word[0]);
    window.x = draw_start(in.width, output.width, augmentation.crop_padding, words.word[1]);
    mirror = augmentation.flip && (words.word[2] >> 31) != 0;
  }
  copy_window(in, window.y, window.x, mirror, output, out);
  change_pixels(augmentation, stream, epoch, index, out, output);
}

void change_pixels(const Augmentation& augmentation, const RandomStream& stream, std::int64_t epoch,
                   std::int64_t index, std::uint8_t* pixels, Shape shape) {
  const std::span<std::uint8_t> all(pixels, static_cast<std::size_t>(shape.elements()));
  if (augmentation.jitter.any())
    jitter_colours(draw_jitter(augmentation.jitter, stream, epoch, index), static_cast<int>(shape.channels),
                   all);
  if (augmentation.shift.sigma > 0) shift_colours(draw_shift(augmentation.shift, stream, epoch, index), all);
  if (augmentation.erasing.probability <= 0) return;
  const Rect rect = rectangle_to_erase(augmentation.erasing, stream, epoch, index,
                                       static_cast<int>(shape.height), static_cast<int>(shape.width));
  erase_rectangle(augmentation.erasing, stream, epoch, index, rect, shape, pixels);
}

}  // namespace convoy
