#pragma once

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/trainer/data/data_files.h"
#include "tests/trainer/data/jpeg_files.h"
#include "trainer/data/image_decoder.h"

namespace convoy {

inline const std::string kImages = CONVOY_SOURCE "/tests/data/images/";

inline Bytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A binary PPM file as tests/golden/make_images.py writes it.
inline Image read_ppm(const std::string& path) {
  const Bytes bytes = read_bytes(path);
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::string magic;
  int most = 0;
  Image image;
  text >> magic >> image.width >> image.height >> most;
  EXPECT_EQ(magic, "P6") << path;
  image.channels = 3;
  image.pixels.assign(bytes.end() - 3 * image.width * image.height, bytes.end());
  return image;
}

/// Smooth slopes and sharp stripes.
inline Image pattern(int height, int width) {
  Image image{3, height, width, Bytes(static_cast<std::size_t>(3 * height * width))};
  for (int i = 0, y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c, ++i) {
        const int value =
            x * (c + 1) + y * (3 - c) + ((x / 3 + y / 5 + c) % 2) * 90 + (x * y * 7 + c * 31) % 23;
        image.pixels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value % 256);
      }
    }
  }
  return image;
}

/// Decodes what `choose` picks.
inline View decoded(const Bytes& file, const ChooseCrop& choose = whole_image,
                    const DecodeOptions& options = {}, const std::string& name = "image") {
  DecodeScratch scratch;
  View view;
  decode_image({file, name}, options, choose, scratch, view);
  return view;
}

/// The pixels of view.pixels alone.
inline Image cut(const View& view) {
  const Rect& r = view.pixels;
  Image image{view.image.channels, r.height, r.width, {}};
  for (int y = r.top; y < r.top + r.height; ++y) {
    const auto row =
        view.image.pixels.begin() + (std::ptrdiff_t{y} * view.image.width + r.left) * image.channels;
    image.pixels.insert(image.pixels.end(), row, row + std::ptrdiff_t{r.width} * image.channels);
  }
  return image;
}

/// Largest difference of two images of one size.
inline int distance(const Image& a, const Image& b) {
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.channels, b.channels);
  if (a.pixels.size() != b.pixels.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

}  // namespace convoy
