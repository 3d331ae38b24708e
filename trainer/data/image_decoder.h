#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/data/memory_budget.h"
#include "trainer/data/view.h"

namespace convoy {

/// What is refused before memory is taken: an image of more pixels than this (134 million; the largest of
/// ImageNet has 61).
inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 27;

/// Scans of a progressive JPEG file, each of which goes over all of the image; usual are 10.
inline constexpr int kMostScans = 128;

/// What a decoder takes beside the pixels, for progressive files.
inline constexpr std::int64_t kMostDecoderBytes = std::int64_t{1} << 30;

struct DecodeOptions {
  bool orientation = false;       ///< turn the image as its EXIF block says
  std::uint8_t background = 255;  ///< grey level that shows through where a PNG file is transparent
};

/// Bytes of an encoded image, and the name that messages give it.
struct EncodedImage {
  std::span<const std::uint8_t> bytes;
  const std::string& name;
};

/// Storage that decoders reuse.
struct DecodeScratch {
  std::vector<std::uint8_t> row;
  std::vector<std::uint8_t> turned;
  BudgetClaim* budget = nullptr;  ///< shared with other threads; null: there is no bound

  /// Said before so many bytes are taken for the sample; may wait.
  void claim(std::int64_t bytes) const {
    if (budget != nullptr) budget->add(bytes);
  }
};

/// Whether a file starts as JPEG, PNG or PPM files do.
bool is_encoded_image(std::span<const std::uint8_t> bytes);

/// Decodes a JPEG, PNG or PPM file, told apart by their first bytes, to RGB.
///
/// Grey becomes three equal channels; CMYK and YCCK (in Adobe's inverted form, as Pillow takes all of them)
/// R = (255 - C) (255 - K) / 255 and so on; 16 bits are rounded to 8; a palette is looked up; transparent
/// pixels are laid over options.background. Colour profiles and gamma are left alone. `choose` is asked once,
/// with the size of the image as it is shown.
///
/// Throws Error(data) with the name for what is no image, is broken or cut short, or has too many pixels.
void decode_image(const EncodedImage& file, const DecodeOptions& options, const ChooseCrop& choose,
                  DecodeScratch& scratch, View& view);

/// The same of one format. Only rows and blocks around the crop are decoded, by libjpeg-turbo's own crop and
/// skip; a crop that is far larger than its output is decoded at 1/2, 1/4 or 1/8 of the size (by smaller
/// inverse cosine transforms), such that it still has at least twice the output's pixels each way.
void decode_jpeg(const EncodedImage& file, const DecodeOptions& options, const ChooseCrop& choose,
                 DecodeScratch& scratch, View& view);
void decode_png(const EncodedImage& file, const DecodeOptions& options, const ChooseCrop& choose,
                DecodeScratch& scratch, View& view);
/// Netpbm's format of raw RGB pixels, "P6", of 8 bits (ppm(5)); what is decoded is a copy of the crop.
void decode_ppm(const EncodedImage& file, const ChooseCrop& choose, const DecodeScratch& scratch, View& view);

/// Throws Error(data) unless height × width is at least 1 × 1 and within kMostPixels.
void check_image_size(const std::string& name, std::int64_t height, std::int64_t width);

}  // namespace convoy
