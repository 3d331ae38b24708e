#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "layers/core/error.h"
#include "trainer/data/image_decoder.h"
#include "trainer/data/orientation.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

/// libpng with its errors as exceptions, reading from memory.
class PngReader {
 public:
  explicit PngReader(const EncodedImage& file) : file_(file), rest_(file.bytes) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, leave, ignore);
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_read_struct(&png, nullptr, nullptr);
      fail(ExitCode::internal, "libpng {} cannot start: is it the version that Convoy was built with?",
           png_get_libpng_ver(nullptr));
    }
    png_set_read_fn(png, this, read);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_image_size has the say
  }
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// Runs `work`, which libpng may leave by a jump: nothing in it may have a destructor.
  template <class Work>
  void call(Work&& work) {
    if (setjmp(png_jmpbuf(png)) != 0) {
      fail(ExitCode::data, "{}: is a broken PNG file: {}", printable(file_.name), message_);
    }
    work();
  }

  png_structp png = nullptr;
  png_infop info = nullptr;

 private:
  [[noreturn]] static void leave(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self->message_, message, sizeof(self->message_) - 1);
    png_longjmp(png, 1);
  }
  static void ignore(png_structp /*png*/, png_const_charp /*warning*/) {}
  static void read(png_structp png, png_bytep out, std::size_t bytes) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (bytes > self->rest_.size()) png_error(png, "it is cut short");
    std::memcpy(out, self->rest_.data(), bytes);
    self->rest_ = self->rest_.subspan(bytes);
  }

  const EncodedImage& file_;
  std::span<const std::uint8_t> rest_;
  char message_[128] = {};
};

Orientation read_orientation(const PngReader& reader) {
#ifdef PNG_eXIf_SUPPORTED
  png_bytep bytes = nullptr;
  png_uint_32 count = 0;
  if (png_get_eXIf_1(reader.png, reader.info, &count, &bytes) != 0) {
    return orientation_of(exif_orientation({bytes, count}));
  }
#endif
  return {};
}

/// Every kind of PNG pixel as 8-bit RGB, or RGBA where some may be transparent; returns the channels.
int ask_for_rgb(PngReader& reader) {
  int channels = 0;
  reader.call([&] {
    png_set_expand(reader.png);  // palettes, 1 to 4 bits, a transparent colour
    png_set_scale_16(reader.png);
    png_set_gray_to_rgb(reader.png);
    png_set_interlace_handling(reader.png);
    png_read_update_info(reader.png, reader.info);
    channels = png_get_channels(reader.png, reader.info);
  });
  return channels;
}

/// Rows of RGBA over a grey background, in place; the pixels move together.
void lay_over(std::vector<std::uint8_t>& pixels, std::uint8_t background) {
  std::uint8_t* out = pixels.data();
  for (const std::uint8_t* in = pixels.data(); in < pixels.data() + pixels.size(); in += 4, out += 3) {
    const unsigned alpha = in[3];
    for (int c = 0; c < 3; ++c) {
      out[c] = static_cast<std::uint8_t>((in[c] * alpha + background * (255 - alpha) + 127) / 255);
    }
  }
  pixels.resize(pixels.size() / 4 * 3);
}

void read_rows(PngReader& reader, int channels, Image& image) {
  const std::size_t row_bytes = static_cast<std::size_t>(channels) * static_cast<std::size_t>(image.width);
  resize_exactly(image.pixels, row_bytes * static_cast<std::size_t>(image.height));
  std::uint8_t* const pixels = image.pixels.data();
  const int height = image.height;
  const int passes = png_get_interlace_type(reader.png, reader.info) == PNG_INTERLACE_ADAM7 ? 7 : 1;
  reader.call([&] {
    for (int pass = 0; pass < passes; ++pass) {  // each refines the rows of the one before
      for (int y = 0; y < height; ++y) {
        png_read_row(reader.png, pixels + static_cast<std::size_t>(y) * row_bytes, nullptr);
      }
    }
    png_read_end(reader.png, nullptr);
  });
}

}  // namespace

void decode_png(const EncodedImage& file, const DecodeOptions& options, const ChooseCrop& choose,
                DecodeScratch& scratch, View& view) {
  PngReader reader(file);
  reader.call([&] { png_read_info(reader.png, reader.info); });
  const auto height = static_cast<std::int64_t>(png_get_image_height(reader.png, reader.info));
  const auto width = static_cast<std::int64_t>(png_get_image_width(reader.png, reader.info));
  check_image_size(file.name, height, width);
  const Orientation orientation = options.orientation ? read_orientation(reader) : Orientation{};
  const int channels = ask_for_rgb(reader);
  view.image.channels = 3;
  view.image.height = static_cast<int>(height);
  view.image.width = static_cast<int>(width);
  scratch.claim(height * width * (channels + (orientation.is_identity() ? 0 : 3)));
  read_rows(reader, channels, view.image);
  if (channels == 4) lay_over(view.image.pixels, options.background);
  view.pixels = {0, 0, view.image.height, view.image.width};
  turn(orientation, view, scratch.turned);
  const ImageCrop crop = choose(view.image.height, view.image.width);
  view.pixels = crop.pixels;
  view.box = crop.box;
}

}  // namespace convoy
