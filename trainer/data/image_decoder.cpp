#include "trainer/data/image_decoder.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "layers/core/error.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

constexpr std::array<std::uint8_t, 3> kJpeg{0xFF, 0xD8, 0xFF};
constexpr std::array<std::uint8_t, 8> kPng{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

template <std::size_t N>
bool starts_with(std::span<const std::uint8_t> bytes, const std::array<std::uint8_t, N>& start) {
  return bytes.size() >= N && std::equal(start.begin(), start.end(), bytes.begin());
}

/// "P6" and a space or the start of a comment.
bool starts_as_ppm(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kNext = " \n\t\r#";
  return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] == '6' &&
         kNext.find(static_cast<char>(bytes[2])) != std::string_view::npos;
}

}  // namespace

void check_image_size(const std::string& name, std::int64_t height, std::int64_t width) {
  if (height >= 1 && width >= 1 && height <= kMostPixels / width) return;
  fail(ExitCode::data, "{}: its header promises {} x {} pixels, expected 1 to {} in all", printable(name),
       width, height, kMostPixels);
}

bool is_encoded_image(std::span<const std::uint8_t> bytes) {
  return starts_with(bytes, kJpeg) || starts_with(bytes, kPng) || starts_as_ppm(bytes);
}

void decode_image(const EncodedImage& file, const DecodeOptions& options, const ChooseCrop& choose,
                  DecodeScratch& scratch, View& view) {
  if (starts_with(file.bytes, kJpeg)) return decode_jpeg(file, options, choose, scratch, view);
  if (starts_with(file.bytes, kPng)) return decode_png(file, options, choose, scratch, view);
  if (starts_as_ppm(file.bytes)) return decode_ppm(file, choose, scratch, view);
  if (file.bytes.empty()) fail(ExitCode::data, "{}: is empty", printable(file.name));
  fail(ExitCode::data, "{}: is neither a JPEG nor a PNG file", printable(file.name));
}

}  // namespace convoy
