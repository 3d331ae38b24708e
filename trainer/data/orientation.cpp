#include "trainer/data/orientation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "trainer/data/memory_budget.h"

namespace convoy {
namespace {

constexpr unsigned kOrientationTag = 0x0112;
constexpr unsigned kShort = 3;  // the tag's type: 16 bits

/// Numbers of a TIFF structure, in the byte order that its first two bytes name.
class TiffReader {
 public:
  explicit TiffReader(std::span<const std::uint8_t> bytes) : bytes_(bytes), big_(bytes[0] == 'M') {}

  bool has(std::size_t at, std::size_t count) const {
    return at <= bytes_.size() && count <= bytes_.size() - at;
  }
  unsigned two(std::size_t at) const {
    const unsigned first = bytes_[at];
    const unsigned second = bytes_[at + 1];
    return big_ ? first << 8 | second : second << 8 | first;
  }
  std::size_t four(std::size_t at) const {
    return big_ ? std::size_t{two(at)} << 16 | two(at + 2) : std::size_t{two(at + 2)} << 16 | two(at);
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool big_;
};

Rect transposed(const Rect& r) { return {r.left, r.top, r.width, r.height}; }
Box transposed(const Box& b) { return {b.left, b.top, b.width, b.height}; }

/// The same place seen after mirroring an image of height × width.
template <class Place, class Number>
Place mirrored(const Orientation& orientation, Place place, Number height, Number width) {
  if (orientation.flip_rows) place.top = height - place.top - place.height;
  if (orientation.flip_columns) place.left = width - place.left - place.width;
  return place;
}

}  // namespace

Orientation orientation_of(int exif_value) {
  switch (exif_value) {
    case 2:
      return {false, false, true};
    case 3:
      return {false, true, true};
    case 4:
      return {false, true, false};
    case 5:
      return {true, false, false};
    case 6:
      return {true, false, true};
    case 7:
      return {true, true, true};
    case 8:
      return {true, true, false};
    default:
      return {};
  }
}

int exif_orientation(std::span<const std::uint8_t> tiff) {
  constexpr std::size_t kEntry = 12;  // tag, type, count, value
  if (tiff.size() < 8 || tiff[0] != tiff[1] || (tiff[0] != 'I' && tiff[0] != 'M')) return 1;
  const TiffReader reader(tiff);
  if (reader.two(2) != 42) return 1;
  const std::size_t directory = reader.four(4);
  if (!reader.has(directory, 2)) return 1;
  const unsigned entries = reader.two(directory);
  for (unsigned i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * kEntry;
    if (!reader.has(at, kEntry)) return 1;
    if (reader.two(at) != kOrientationTag || reader.two(at + 2) != kShort) continue;
    const unsigned value = reader.two(at + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

ImageCrop stored_crop(const Orientation& orientation, const ImageCrop& shown, int height, int width) {
  if (orientation.transpose) std::swap(height, width);
  ImageCrop crop = shown;
  crop.pixels = mirrored(orientation, crop.pixels, height, width);
  crop.box = mirrored(orientation, crop.box, static_cast<double>(height), static_cast<double>(width));
  if (!orientation.transpose) return crop;
  return {transposed(crop.pixels), transposed(crop.box), crop.width, crop.height};
}

void turn(const Orientation& orientation, View& view, std::vector<std::uint8_t>& scratch) {
  if (orientation.is_identity()) return;
  Image& image = view.image;
  if (orientation.transpose) {
    view.pixels = transposed(view.pixels);
    view.box = transposed(view.box);
  }
  const int height = orientation.transpose ? image.width : image.height;
  const int width = orientation.transpose ? image.height : image.width;
  const auto channels = static_cast<std::size_t>(image.channels);
  resize_exactly(scratch, image.pixels.size());
  std::uint8_t* out = scratch.data();
  for (int y = 0; y < height; ++y) {
    const int from_y = orientation.flip_rows ? height - 1 - y : y;
    for (int x = 0; x < width; ++x, out += channels) {
      const int from_x = orientation.flip_columns ? width - 1 - x : x;
      const int row = orientation.transpose ? from_x : from_y;
      const int column = orientation.transpose ? from_y : from_x;
      const std::size_t pixel = static_cast<std::size_t>(row) * static_cast<std::size_t>(image.width) +
                                static_cast<std::size_t>(column);
      std::memcpy(out, image.pixels.data() + pixel * channels, channels);
    }
  }
  image.pixels.swap(scratch);
  image.height = height;
  image.width = width;
  view.pixels = mirrored(orientation, view.pixels, height, width);
  view.box = mirrored(orientation, view.box, static_cast<double>(height), static_cast<double>(width));
}

}  // namespace convoy
