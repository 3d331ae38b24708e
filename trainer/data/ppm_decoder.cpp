#include <algorithm>
#include <cstring>

#include "layers/core/error.h"
#include "trainer/data/image_decoder.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

/// The numbers of a header: width, height, largest value; then one space and the pixels.
class PpmHeader {
 public:
  explicit PpmHeader(const EncodedImage& file) : file_(file) {}

  /// The next number, after spaces and comments.
  std::int64_t number() {
    const auto& bytes = file_.bytes;
    while (at_ < bytes.size() && (is_space(bytes[at_]) || bytes[at_] == '#')) {
      if (bytes[at_] == '#') {
        while (at_ < bytes.size() && bytes[at_] != '\n') ++at_;
      } else {
        ++at_;
      }
    }
    std::int64_t value = -1;
    for (; at_ < bytes.size() && bytes[at_] >= '0' && bytes[at_] <= '9' && value < kMostPixels; ++at_) {
      value = 10 * std::max<std::int64_t>(value, 0) + (bytes[at_] - '0');
    }
    if (value < 0) broken("its header lacks a number");
    return value;
  }

  /// What follows the space after the last number.
  std::span<const std::uint8_t> pixels() {
    if (at_ >= file_.bytes.size() || !is_space(file_.bytes[at_])) broken("its header does not end");
    return file_.bytes.subspan(at_ + 1);
  }

  [[noreturn]] void broken(const std::string& what) const {
    fail(ExitCode::data, "{}: is a broken PPM file: {}", printable(file_.name), what);
  }

 private:
  static bool is_space(std::uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

  const EncodedImage& file_;
  std::size_t at_ = 2;
};

}  // namespace

void decode_ppm(const EncodedImage& file, const ChooseCrop& choose, const DecodeScratch& scratch,
                View& view) {
  PpmHeader header(file);
  const std::int64_t width = header.number();
  const std::int64_t height = header.number();
  const std::int64_t most = header.number();
  check_image_size(file.name, height, width);
  if (most != 255) header.broken(fmt::format("values go up to {}, expected 255", most));
  const std::span<const std::uint8_t> pixels = header.pixels();
  const auto row_bytes = static_cast<std::size_t>(3 * width);
  if (pixels.size() != row_bytes * static_cast<std::size_t>(height)) {
    header.broken(fmt::format("it has {} bytes of pixels, expected {}", pixels.size(), 3 * width * height));
  }
  const ImageCrop crop = choose(static_cast<int>(height), static_cast<int>(width));
  view.image.channels = 3;
  view.image.height = crop.pixels.height;
  view.image.width = crop.pixels.width;
  const auto crop_bytes = 3 * static_cast<std::size_t>(crop.pixels.width);
  const std::size_t bytes = crop_bytes * static_cast<std::size_t>(crop.pixels.height);
  scratch.claim(static_cast<std::int64_t>(bytes));
  resize_exactly(view.image.pixels, bytes);
  const std::uint8_t* in = pixels.data() + static_cast<std::size_t>(crop.pixels.top) * row_bytes +
                           3 * static_cast<std::size_t>(crop.pixels.left);
  for (std::uint8_t* out = view.image.pixels.data();
       out < view.image.pixels.data() + view.image.pixels.size(); out += crop_bytes, in += row_bytes) {
    std::memcpy(out, in, crop_bytes);
  }
  view.pixels = {0, 0, crop.pixels.height, crop.pixels.width};
  view.box = {crop.box.top - crop.pixels.top, crop.box.left - crop.pixels.left, crop.box.height,
              crop.box.width};
}

}  // namespace convoy
