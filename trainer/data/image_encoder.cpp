#include "trainer/data/image_encoder.h"

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
// libjpeg's header needs the second and third.
#include <jpeglib.h>

#include <algorithm>

#include "layers/core/error.h"

namespace convoy {
namespace {

/// libjpeg compressing to memory, with its errors as Error(internal): of an image in memory only a lack of
/// memory can be at fault.
class JpegCompressor {
 public:
  JpegCompressor() {
    info.err = jpeg_std_error(&error_);
    error_.error_exit = leave;
    jpeg_create_compress(&info);
  }
  ~JpegCompressor() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
  JpegCompressor(const JpegCompressor&) = delete;
  JpegCompressor& operator=(const JpegCompressor&) = delete;

  /// Runs `work`, which libjpeg may leave by a jump: nothing in it may have a destructor.
  template <class Work>
  void call(Work&& work) {
    if (setjmp(error_.jump) != 0) fail(ExitCode::internal, "cannot write a JPEG file: {}", error_.message);
    work();
  }

  jpeg_compress_struct info{};
  unsigned char* bytes = nullptr;
  unsigned long count = 0;

 private:
  struct ErrorManager : jpeg_error_mgr {
    std::jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
  };

  [[noreturn]] static void leave(j_common_ptr info) {
    auto* manager = static_cast<ErrorManager*>(info->err);
    manager->format_message(info, manager->message);
    std::longjmp(manager->jump, 1);
  }

  ErrorManager error_{};
};

}  // namespace

void encode_jpeg(const Image& image, int quality, EncodedBytes& out) {
  JpegCompressor compressor;
  jpeg_compress_struct& info = compressor.info;
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(image.width);
  const std::uint8_t* const pixels = image.pixels.data();
  compressor.call([&] {
    jpeg_mem_dest(&info, &compressor.bytes, &compressor.count);
    info.image_width = static_cast<JDIMENSION>(image.width);
    info.image_height = static_cast<JDIMENSION>(image.height);
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      auto* row = const_cast<std::uint8_t*>(pixels + info.next_scanline * row_bytes);
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
  });
  out.assign(compressor.bytes, compressor.bytes + compressor.count);
}

void encode_ppm(const Image& image, EncodedBytes& out) {
  const std::string header = fmt::format("P6\n{} {}\n255\n", image.width, image.height);
  out.assign(header.begin(), header.end());
  out.insert(out.end(), image.pixels.begin(), image.pixels.end());
}

}  // namespace convoy
