#include "trainer/data/png_writer.h"

#include <png.h>

#include <cerrno>
#include <cstring>

#include "layers/core/error.h"
#include "trainer/data/printable.h"

namespace convoy {

void write_png(const std::string& path, const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  errno = 0;
  if (png_image_write_to_file(&header, path.c_str(), 0, image.pixels.data(), 0, nullptr) == 0) {
    fail(code_of_write(errno), "{}: cannot be written: {}", printable(path),
         errno != 0 ? std::strerror(errno) : header.message);
  }
}

}  // namespace convoy
