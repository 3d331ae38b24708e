#include "trainer/data/image_encoder.h"

#include <gtest/gtest.h>

#include "tests/trainer/data/image_files.h"

namespace convoy {
namespace {

TEST(ImageEncoder, JpegIsLibjpegs) {
  const Image image = pattern(45, 70);
  for (const int quality : {5, 50, 95, 100}) {
    EncodedBytes bytes;
    encode_jpeg(image, quality, bytes);
    EXPECT_EQ(bytes, jpeg_of(image, {2, 2, quality}));
  }
}

TEST(ImageEncoder, PpmHoldsThePixels) {
  const Image image = pattern(13, 7);
  EncodedBytes bytes;
  encode_ppm(image, bytes);
  EXPECT_TRUE(is_encoded_image(bytes));
  EXPECT_EQ(decoded(bytes).image.pixels, image.pixels);
  const View view = decoded(bytes, [](int, int) { return ImageCrop{{2, 3, 5, 4}, {2.5, 3, 4, 3.5}, 0, 0}; });
  EXPECT_EQ(view.image.height, 5);
  EXPECT_EQ(view.image.width, 4);
  EXPECT_EQ(view.box.top, 0.5);
  for (int y = 0; y < 5; ++y) {
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(view.image.pixels[static_cast<std::size_t>(12 * y + i)],
                image.pixels[static_cast<std::size_t>((y + 2) * 21 + 9 + i)]);
    }
  }
}

Bytes ppm(const std::string& header, std::size_t pixels) {
  return Bytes(header.begin(), header.end()) + Bytes(pixels, 7);
}

TEST(ImageEncoder, PpmMayHaveComments) {
  EXPECT_EQ(decoded(ppm("P6 # made by hand\n2\t# wide\n 1\r\n255\n", 6)).image.width, 2);
}

TEST(ImageEncoder, BrokenPpmFilesAreTold) {
  const auto refused = [](const Bytes& file, const std::string& part) {
    expect_error(ExitCode::data, {"image: ", part}, [&] { decoded(file); });
  };
  refused(ppm("P6\n2 1\n255\n", 5), "has 5 bytes of pixels, expected 6");
  refused(ppm("P6\n2 1\n255\n", 7), "has 7 bytes");
  refused(ppm("P6\n2 1\n65535\n", 12), "values go up to 65535");
  refused(ppm("P6\n2\n", 0), "its header lacks a number");
  refused(ppm("P6\n2 1 255", 0), "its header does not end");
  refused(ppm("P6\n0 1\n255\n", 0), "0 x 1 pixels");
  refused(ppm("P6\n100000 100000\n255\n", 10), "100000 x 100000 pixels");
  refused(ppm("P6\n99999999999999999999 1\n255\n", 10), "");
  refused(ppm("P6 #", 0), "lacks a number");
  refused(ppm("P5\n2 1\n255\n", 2), "neither");
}

}  // namespace
}  // namespace convoy
