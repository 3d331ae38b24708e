#pragma once

#include <cstddef>
#include <cstdio>
// libjpeg's header needs the two above.
#include <jpeglib.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/trainer/data/data_files.h"
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

struct JpegSettings {
  int horizontal = 2;  ///< luminance samples for each of colour
  int vertical = 2;
  int quality = 90;
  bool progressive = false;
  bool arithmetic = false;
  int restart_rows = 0;
  int coefficient_scans = 0;  ///< of a progressive file: each coefficient of each colour in a scan of its own
};

inline Bytes jpeg_of(const Image& image, const JpegSettings& settings = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr error{};
  info.err = jpeg_std_error(&error);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&info, &out, &bytes);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = image.channels;
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, settings.quality, TRUE);
  info.comp_info[0].h_samp_factor = settings.horizontal;
  info.comp_info[0].v_samp_factor = settings.vertical;
  info.restart_in_rows = settings.restart_rows;
  info.arith_code = settings.arithmetic ? TRUE : FALSE;
  if (settings.progressive) jpeg_simple_progression(&info);
  std::vector<jpeg_scan_info> scans(1, {3, {0, 1, 2}, 0, 0, 0, 0});
  for (int i = 0; i < settings.coefficient_scans; ++i) {
    const int first = 1 + i / 3;
    const bool last = i + 3 >= settings.coefficient_scans;  // takes the rest
    scans.push_back({1, {i % 3}, first, last ? 63 : first, 0, 0});
  }
  if (settings.coefficient_scans > 0) {
    info.scan_info = scans.data();
    info.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row =
        const_cast<unsigned char*>(image.pixels.data()) +
        static_cast<std::size_t>(info.next_scanline) * static_cast<std::size_t>(image.width * image.channels);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  Bytes file(out, out + bytes);
  std::free(out);
  jpeg_destroy_compress(&info);
  return file;
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
