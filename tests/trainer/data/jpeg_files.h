#pragma once

#include <cstddef>
#include <cstdio>
// libjpeg's header needs the two above.
#include <jpeglib.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "trainer/data/image.h"

// JPEG files for tests and benchmarks, and what libjpeg-turbo's plainest calls make of them.

namespace convoy {

struct JpegSettings {
  int horizontal = 2;  ///< luminance samples for each of colour
  int vertical = 2;
  int quality = 90;
  bool progressive = false;
  bool arithmetic = false;
  int restart_rows = 0;
  int coefficient_scans = 0;  ///< of a progressive file: each coefficient of each colour in a scan of its own
  int refinements = 0;        ///< and so many more of each, for a bit of its value
};

inline std::vector<std::uint8_t> jpeg_of(const Image& image, const JpegSettings& settings = {}) {
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
    scans.push_back({1, {i % 3}, first, last ? 63 : first, 0, settings.refinements});
    for (int bit = settings.refinements; bit > 0; --bit)
      scans.push_back({1, {i % 3}, first, last ? 63 : first, bit, bit - 1});
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
  std::vector<std::uint8_t> file(out, out + bytes);
  std::free(out);
  jpeg_destroy_compress(&info);
  return file;
}

/// All of a file, by libjpeg's plainest calls; `image` keeps its storage.
inline void decode_plainly(const std::vector<std::uint8_t>& file, Image& image) {
  jpeg_decompress_struct info{};
  jpeg_error_mgr error{};
  info.err = jpeg_std_error(&error);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, file.data(), file.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  image.channels = 3;
  image.height = static_cast<int>(info.output_height);
  image.width = static_cast<int>(info.output_width);
  const std::size_t row_bytes = std::size_t{3} * info.output_width;
  image.pixels.resize(row_bytes * info.output_height);
  while (info.output_scanline < info.output_height) {
    unsigned char* rows[8];
    const unsigned count = std::min(8U, info.output_height - info.output_scanline);
    for (std::size_t i = 0; i < count; ++i)
      rows[i] = image.pixels.data() + (info.output_scanline + i) * row_bytes;
    jpeg_read_scanlines(&info, rows, count);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
}

}  // namespace convoy
