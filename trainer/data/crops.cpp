#include "trainer/data/crops.h"

#include <algorithm>
#include <cmath>

#include "trainer/data/draws.h"

namespace convoy {
namespace {

constexpr std::uint32_t kCropTries = 10;

Rect central(const RandomResizedCrop& limits, int height, int width) {
  const double aspect = static_cast<double>(width) / height;
  int wide = width;
  int high = height;
  if (aspect < limits.least_aspect) high = static_cast<int>(std::lround(width / limits.least_aspect));
  if (aspect > limits.most_aspect) wide = static_cast<int>(std::lround(height * limits.most_aspect));
  high = std::clamp(high, 1, height);
  wide = std::clamp(wide, 1, width);
  return {(height - high) / 2, (width - wide) / 2, high, wide};
}

/// Of a window of `output` pixels along a side of `resized`; what fraction of the places it starts at.
double start_of(std::int64_t resized, std::int64_t output, double fraction) {
  const auto room = static_cast<double>(resized - output);
  return fraction < 0 ? std::nearbyint(room / 2) : std::floor(fraction * (room + 1));
}

/// The pixels that a filter takes around [start, start + length) when it makes `output` pixels of it.
void take_around(double start, double length, std::int64_t output, int limit, int& first, int& count) {
  const double support = std::max(length / static_cast<double>(output), 1.0) + 1;
  first = std::max(static_cast<int>(std::floor(start - support)), 0);
  count = std::min(static_cast<int>(std::ceil(start + length + support)), limit) - first;
}

}  // namespace

Rect random_resized_crop(const RandomResizedCrop& limits, const RandomStream& stream, std::int64_t epoch,
                         std::int64_t index, int height, int width) {
  const double area = static_cast<double>(height) * width;
  for (std::uint32_t i = 0; i < kCropTries; ++i) {
    const Random4 words = stream.block(static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index),
                                       draws::kResizedCrop + i);
    const double wanted = area * uniform_between(limits.least_area, limits.most_area, words.word[0]);
    const double aspect =
        std::exp(uniform_between(std::log(limits.least_aspect), std::log(limits.most_aspect), words.word[1]));
    const auto wide = static_cast<std::int64_t>(std::llround(std::sqrt(wanted * aspect)));
    const auto high = static_cast<std::int64_t>(std::llround(std::sqrt(wanted / aspect)));
    if (wide < 1 || high < 1 || wide > width || high > height) continue;
    const auto down = uniform_below(words.word[2], static_cast<std::uint32_t>(height - high + 1));
    const auto right = uniform_below(words.word[3], static_cast<std::uint32_t>(width - wide + 1));
    return {static_cast<int>(down), static_cast<int>(right), static_cast<int>(high), static_cast<int>(wide)};
  }
  return central(limits, height, width);
}

Sides resized_sides(int shorter, int height, int width) {
  if (height <= width)
    return {shorter, static_cast<std::int64_t>(static_cast<double>(shorter) * width / height)};
  return {static_cast<std::int64_t>(static_cast<double>(shorter) * height / width), shorter};
}

Sides covering_sides(int shorter, int height, int width, Shape output) {
  const double cover =
      std::max(static_cast<double>(output.height) / height, static_cast<double>(output.width) / width);
  if (shorter >= cover * std::min(height, width)) return resized_sides(shorter, height, width);
  return {std::max<std::int64_t>(output.height, std::llround(cover * height)),
          std::max<std::int64_t>(output.width, std::llround(cover * width))};
}

ImageCrop resized_window(int shorter, double down, double right, int height, int width, Shape output) {
  const auto [high, wide] = covering_sides(shorter, height, width, output);
  ImageCrop crop;
  const double scale_y = static_cast<double>(height) / static_cast<double>(high);
  const double scale_x = static_cast<double>(width) / static_cast<double>(wide);
  crop.box = {start_of(high, output.height, down) * scale_y, start_of(wide, output.width, right) * scale_x,
              static_cast<double>(output.height) * scale_y, static_cast<double>(output.width) * scale_x};
  take_around(crop.box.top, crop.box.height, output.height, height, crop.pixels.top, crop.pixels.height);
  take_around(crop.box.left, crop.box.width, output.width, width, crop.pixels.left, crop.pixels.width);
  crop.height = static_cast<int>(output.height);
  crop.width = static_cast<int>(output.width);
  return crop;
}

}  // namespace convoy
