#include <gtest/gtest.h>

#include "tests/trainer/data/image_files.h"
#include "trainer/data/orientation.h"
#include "trainer/data/resample.h"

// A crop that is decoded alone has the pixels of libjpeg-turbo's own decoding of the whole image.

namespace convoy {
namespace {

ChooseCrop rectangle(const Rect& rect) {
  return [rect](int, int) {
    return ImageCrop{rect,
                     {static_cast<double>(rect.top), static_cast<double>(rect.left),
                      static_cast<double>(rect.height), static_cast<double>(rect.width)},
                     0,
                     0};
  };
}

Image cut_of(const Image& image, const Rect& rect) { return cut({image, rect, {}}); }

struct Kind {
  const char* name;
  JpegSettings settings;
  friend void PrintTo(const Kind& one, std::ostream* out) { *out << one.name; }
};

class JpegCrop : public testing::TestWithParam<Kind> {};

TEST_P(JpegCrop, IsThePartOfTheWholeToTheBit) {
  std::uint32_t state = 7;
  const auto draw = [&](int bound) {
    state = state * 1664525 + 1013904223;
    return static_cast<int>((state >> 8) % static_cast<std::uint32_t>(bound));
  };
  for (const auto& [height, width] : {std::pair{375, 500}, {64, 64}, {65, 33}, {17, 129}, {1, 1}, {3, 200}}) {
    const Bytes file = jpeg_of(pattern(height, width), GetParam().settings);
    Image whole;
    decode_plainly(file, whole);
    EXPECT_EQ(distance(cut(decoded(file)), whole), 0);
    for (int i = 0; i < 150; ++i) {
      Rect rect{draw(height), draw(width), 0, 0};
      rect.height = 1 + draw(height - rect.top);
      rect.width = 1 + draw(width - rect.left);
      const View view = decoded(file, rectangle(rect));
      ASSERT_EQ(distance(cut(view), cut_of(whole, rect)), 0)
          << rect.height << " x " << rect.width << " at " << rect.top << ", " << rect.left << " of " << height
          << " x " << width;
      EXPECT_LE(view.image.height, rect.height) << "no rows beside the crop are kept";
      EXPECT_EQ(view.box.top, view.pixels.top);
      EXPECT_EQ(view.box.left, view.pixels.left);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, JpegCrop,
                         testing::Values(Kind{"h2v2", {}}, Kind{"h2v1", {2, 1}}, Kind{"h1v1", {1, 1}},
                                         Kind{"h1v2", {1, 2}}, Kind{"h4v1", {4, 1}}, Kind{"h4v2", {4, 2}},
                                         Kind{"progressive", {2, 2, 80, true}},
                                         Kind{"progressive_h2v1", {2, 1, 95, true}},
                                         Kind{"arithmetic", {2, 2, 90, false, true}},
                                         Kind{"restarts", {2, 2, 90, false, false, 1}}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(JpegCrop, ATurnedFileGivesThePartOfTheTurnedImage) {
  for (int value = 1; value <= 8; ++value) {
    const std::string name = kImages + "turned" + std::to_string(value) + ".jpg";
    const Bytes file = read_bytes(name);
    const Image whole = cut(decoded(file, whole_image, {true, 255}));
    for (const Rect& rect : {Rect{0, 0, 5, 7}, Rect{3, 11, 20, 9}, Rect{28, 28, 1, 1}, Rect{10, 0, 3, 29}}) {
      EXPECT_EQ(distance(cut(decoded(file, rectangle(rect), {true, 255})), cut_of(whole, rect)), 0)
          << value << ": " << rect.top << ", " << rect.left;
    }
  }
}

/// Resized to `size` × `size`.
Image shrunk(const Bytes& file, const Rect& rect, int size, bool may_reduce) {
  const ChooseCrop choose = [&](int, int) {
    ImageCrop crop = rectangle(rect)(0, 0);
    if (may_reduce) crop.height = crop.width = size;
    return crop;
  };
  const View view = decoded(file, choose);
  EXPECT_EQ(view.image.width < rect.width, may_reduce);
  Image out{3, size, size, Bytes(static_cast<std::size_t>(3 * size * size))};
  ResampleScratch scratch;
  resample(view, Filter::bilinear, false, size, size, scratch, out.pixels.data());
  return out;
}

// Smaller cosine transforms are another filter, but not another picture.
TEST(JpegCrop, AReducedSizeShowsTheSame) {
  Image smooth{3, 800, 1000, Bytes(3 * 800 * 1000)};
  for (int i = 0, y = 0; y < 800; ++y) {
    for (int x = 0; x < 1000; ++x) {
      for (int c = 0; c < 3; ++c, ++i) {
        smooth.pixels[static_cast<std::size_t>(i)] =
            static_cast<std::uint8_t>(127 + 60 * std::sin(0.02 * x + c) + 60 * std::cos(0.03 * y - c));
      }
    }
  }
  for (const JpegSettings& settings : {JpegSettings{}, {2, 1}, {1, 1}, {2, 2, 90, true}}) {
    const Bytes file = jpeg_of(smooth, settings);
    for (const int size : {190, 90, 40}) {  // half, a quarter, an eighth
      const Rect rect{13, 101, 780, 801};
      EXPECT_LE(distance(shrunk(file, rect, size, true), shrunk(file, rect, size, false)), 6) << size;
    }
  }
}

TEST(JpegCrop, IsReducedOnlyWhereTwiceTheOutputStays) {
  const Bytes file = jpeg_of(pattern(400, 400));
  for (const auto& [output, expected] :
       {std::pair{200, 400}, {101, 400}, {100, 200}, {51, 200}, {50, 100}, {25, 50}, {1, 50}}) {
    const View view = decoded(file, [&, size = output](int height, int width) {
      ImageCrop crop = whole_image(height, width);
      crop.height = crop.width = size;
      return crop;
    });
    EXPECT_EQ(view.image.width, expected) << output;
  }
}

}  // namespace
}  // namespace convoy
