#include <algorithm>
#include <cstring>

#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/data/image_decoder.h"
#include "trainer/data/jpeg_decompressor.h"
#include "trainer/data/orientation.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

/// Columns decoded beside the crop, which its outermost columns' chroma is interpolated from.
constexpr int kMargin = 2;

/// A crop is decoded at a reduced size only where it stays so many times larger than its output.
constexpr double kLeastExcess = 2;

Orientation read_orientation(const jpeg_decompress_struct& info) {
  constexpr char kExif[] = "Exif\0";  // and the 0 that ends it
  for (const jpeg_marker_struct* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->marker != JPEG_APP0 + 1 || marker->data_length < sizeof(kExif)) continue;
    if (std::memcmp(marker->data, kExif, sizeof(kExif)) != 0) continue;
    return orientation_of(
        exif_orientation({marker->data + sizeof(kExif), marker->data_length - sizeof(kExif)}));
  }
  return {};
}

/// 1, 2, 4 or 8: how many times smaller each way the image is decoded.
int reduction_of(const ImageCrop& crop) {
  if (crop.height < 1 || crop.width < 1) return 1;
  const double times = std::min(crop.box.height / crop.height, crop.box.width / crop.width);
  int reduction = 1;
  while (reduction < 8 && times / (2 * reduction) >= kLeastExcess) reduction *= 2;
  return reduction;
}

/// The crop's place in an image decoded `reduction` times smaller, of height × width.
Rect reduced(const Rect& rect, int reduction, int height, int width) {
  const int top = rect.top / reduction;
  const int left = rect.left / reduction;
  const int bottom = std::min(height, (rect.top + rect.height + reduction - 1) / reduction);
  const int right = std::min(width, (rect.left + rect.width + reduction - 1) / reduction);
  return {top, left, bottom - top, right - left};
}

/// From libjpeg's inverted CMYK, which is what Adobe writes, with Pillow's rounding.
void rgb_from_cmyk(const std::uint8_t* in, std::uint8_t* out, int width) {
  for (int x = 0; x < width; ++x, in += 4, out += 3) {
    const int key = in[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - in[c]) * key + 128;
      out[c] = static_cast<std::uint8_t>(std::max(key - ((product + (product >> 8)) >> 8), 0));
    }
  }
}

/// What libjpeg keeps of a file in several scans: all of its coefficients.
std::int64_t coefficient_bytes(jpeg_decompress_struct& info) {
  if (jpeg_has_multiple_scans(&info) == FALSE) return 0;
  std::int64_t blocks = 0;
  for (int c = 0; c < info.num_components; ++c) {
    const jpeg_component_info& component = info.comp_info[c];
    blocks += std::int64_t{component.width_in_blocks} * component.height_in_blocks;
  }
  return blocks * static_cast<std::int64_t>(sizeof(JBLOCK));
}

void read_header(JpegDecompressor& decoder, const EncodedImage& file, const DecodeOptions& options) {
  jpeg_decompress_struct& info = decoder.info;
  decoder.call([&] {
    if (options.orientation) jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info, TRUE);
  });
  check_image_size(file.name, info.image_height, info.image_width);
  if (info.jpeg_color_space == JCS_UNKNOWN) {
    fail(ExitCode::data, "{}: has {} of no known colours", printable(file.name),
         counted(info.num_components, "channel"));
  }
}

/// Reads `rows` rows, of which the first `skip` are not decoded to pixels.
void read_rows(JpegDecompressor& decoder, int skip, int rows, bool cmyk, DecodeScratch& scratch,
               Image& image) {
  jpeg_decompress_struct& info = decoder.info;
  const std::size_t row_bytes = std::size_t{3} * info.output_width;
  if (cmyk) scratch.row.resize(std::size_t{4} * info.output_width);
  image.channels = 3;
  image.height = rows;
  image.width = static_cast<int>(info.output_width);
  resize_exactly(image.pixels, row_bytes * static_cast<std::size_t>(rows));
  std::uint8_t* const pixels = image.pixels.data();
  std::uint8_t* const row = scratch.row.data();
  const int width = image.width;
  decoder.call([&] {
    if (skip > 0) jpeg_skip_scanlines(&info, static_cast<JDIMENSION>(skip));
    for (int y = 0; y < rows;) {
      std::uint8_t* out = pixels + static_cast<std::size_t>(y) * row_bytes;
      if (cmyk) {
        std::uint8_t* target = row;
        y += static_cast<int>(jpeg_read_scanlines(&info, &target, 1));
        rgb_from_cmyk(row, out, width);
        continue;
      }
      std::uint8_t* targets[8];  // libjpeg gives at most as many rows as a block row's sampling
      const int most = std::min(8, rows - y);
      for (int i = 0; i < most; ++i) targets[i] = out + static_cast<std::size_t>(i) * row_bytes;
      y += static_cast<int>(jpeg_read_scanlines(&info, targets, static_cast<JDIMENSION>(most)));
    }
    // What comes after the crop is left; all of a whole image is looked at, to its end.
    if (info.output_scanline == info.output_height) jpeg_finish_decompress(&info);
  });
}

}  // namespace

void decode_jpeg(const EncodedImage& file, const DecodeOptions& options, const ChooseCrop& choose,
                 DecodeScratch& scratch, View& view) {
  JpegDecompressor decoder(file);
  jpeg_decompress_struct& info = decoder.info;
  read_header(decoder, file, options);
  const Orientation orientation = options.orientation ? read_orientation(info) : Orientation{};
  const auto height = static_cast<int>(info.image_height);
  const auto width = static_cast<int>(info.image_width);
  const ImageCrop shown = orientation.transpose ? choose(width, height) : choose(height, width);
  const ImageCrop crop = stored_crop(orientation, shown, height, width);

  const bool cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  const int reduction = reduction_of(crop);
  info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  info.scale_num = static_cast<unsigned>(8 / reduction);
  info.scale_denom = 8;
  // With the columns beside the crop that come along: up to two of the largest units of 32 pixels.
  const std::int64_t pixel_bytes = std::int64_t{3} * (crop.pixels.height / reduction + 1) *
                                   (crop.pixels.width / reduction + 2 * (kMargin + 32));
  scratch.claim(coefficient_bytes(info));
  scratch.claim(pixel_bytes * (orientation.is_identity() ? 1 : 2));
  decoder.call([&] { jpeg_start_decompress(&info); });
  const Rect pixels = reduced(crop.pixels, reduction, static_cast<int>(info.output_height),
                              static_cast<int>(info.output_width));
  auto left = static_cast<JDIMENSION>(std::max(pixels.left - kMargin, 0));
  const auto right =
      std::min(static_cast<JDIMENSION>(pixels.left + pixels.width + kMargin), info.output_width);
  if (left > 0 || right < info.output_width) {
    decoder.call([&] {
      JDIMENSION wide = right - left;
      jpeg_crop_scanline(&info, &left, &wide);
    });
  }
  read_rows(decoder, pixels.top, pixels.height, cmyk, scratch, view.image);

  const double scale = 1.0 / reduction;
  view.pixels = {0, pixels.left - static_cast<int>(left), pixels.height, pixels.width};
  view.box = {crop.box.top * scale - pixels.top, crop.box.left * scale - static_cast<double>(left),
              crop.box.height * scale, crop.box.width * scale};
  turn(orientation, view, scratch.turned);
}

}  // namespace convoy
