#include "trainer/data/resample.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/trainer/data/image_files.h"
#include "trainer/data/crops.h"
#include "trainer/data/resample_rows.h"

namespace convoy {
namespace {

Image resized(const View& view, Filter filter, int height, int width, bool mirror = false) {
  Image out{view.image.channels, height, width, {}};
  out.pixels.resize(static_cast<std::size_t>(view.image.channels * height * width), 0xEE);
  ResampleScratch scratch;
  resample(view, filter, mirror, height, width, scratch, out.pixels.data());
  return out;
}

View view_of(Image image, const Rect& rect) {
  return {std::move(image),
          rect,
          {static_cast<double>(rect.top), static_cast<double>(rect.left), static_cast<double>(rect.height),
           static_cast<double>(rect.width)}};
}

Image source() { return cut(decoded(read_bytes(kImages + "resize.png"))); }

Image turned_left(const Image& in) {
  Image out{in.channels, in.width, in.height, Bytes(in.pixels.size())};
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        out.pixels[static_cast<std::size_t>((y * out.width + x) * 3 + c)] =
            in.pixels[static_cast<std::size_t>((x * in.width + in.width - 1 - y) * 3 + c)];
      }
    }
  }
  return out;
}

// Image.crop(...).resize(..., BILINEAR): shrunk, shrunk a lot, enlarged, of a part, as it is, of one pixel,
// of one row.
TEST(Resample, IsPillowsWithinOneLevel) {
  const struct {
    Rect rect;
    int height, width;
  } cases[] = {{{0, 0, 47, 61}, 24, 24}, {{0, 0, 47, 61}, 5, 8},    {{0, 0, 47, 61}, 90, 100},
               {{3, 5, 37, 40}, 32, 32}, {{40, 50, 7, 11}, 20, 30}, {{0, 0, 47, 61}, 47, 61},
               {{10, 10, 1, 1}, 7, 7},   {{0, 0, 1, 61}, 9, 9}};
  int i = 0;
  for (const auto& [rect, height, width] : cases) {
    const Image out = resized(view_of(source(), rect), Filter::bilinear, height, width);
    EXPECT_LE(distance(out, read_ppm(kImages + "resize" + std::to_string(i) + ".ppm")), 1) << i;
    ++i;
  }
}

TEST(Resample, ShorterSideAndCentreCropArePillows) {
  const Image lying = source();
  for (const auto& [name, image] : {std::pair{"lying", lying}, {"standing", turned_left(lying)}}) {
    const ImageCrop crop = resized_window(32, -1, -1, image.height, image.width, {3, 24, 24});
    const Image out = resized({image, crop.pixels, crop.box}, Filter::bilinear, 24, 24);
    EXPECT_LE(distance(out, read_ppm(kImages + "centre_" + name + ".ppm")), 1) << name;
  }
}

TEST(Resample, AreaIsTheMeanOfWhatIsCovered) {
  const View view{source(), {0, 0, 47, 61}, {2.5, 1.25, 40, 50.5}};
  EXPECT_LE(distance(resized(view, Filter::area, 13, 17), read_ppm(kImages + "area.ppm")), 1);
  Image checks{1, 4, 4, Bytes{0, 100, 8, 8, 100, 200, 8, 8, 1, 1, 0, 255, 1, 1, 255, 0}};
  EXPECT_EQ(resized(view_of(checks, {0, 0, 4, 4}), Filter::area, 2, 2).pixels, (Bytes{100, 8, 1, 128}));
}

TEST(Resample, MirroringIsResizingTheMirroredImage) {
  for (const int channels : {1, 3, 4}) {
    Image image{channels, 9, 14, Bytes(static_cast<std::size_t>(channels * 9 * 14))};
    std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{3});
    for (const Filter filter : {Filter::bilinear, Filter::area}) {
      const Image plain = resized(view_of(image, {1, 2, 7, 11}), filter, 5, 6);
      const Image mirrored = resized(view_of(image, {1, 2, 7, 11}), filter, 5, 6, true);
      for (int y = 0; y < 5; ++y) {
        for (int x = 0; x < 6; ++x) {
          for (int c = 0; c < channels; ++c) {
            EXPECT_EQ(mirrored.pixels[static_cast<std::size_t>((y * 6 + x) * channels + c)],
                      plain.pixels[static_cast<std::size_t>((y * 6 + 5 - x) * channels + c)]);
          }
        }
      }
    }
  }
}

// On every processor the same bits.
TEST(Resample, AllVersionsOfTheLoopsGiveTheSame) {
  if (__builtin_cpu_supports("avx2") == 0) GTEST_SKIP() << "no AVX2 here";
  const Image image = pattern(kTogether, 61);
  Taps taps;
  for (const int width : {1, 2, 17, 61, 100}) {
    find_taps(Filter::bilinear, 0, 61, 0, 61, width, taps);
    const auto made = [&](const ResampleLoops& loops) {
      const auto row = static_cast<std::size_t>(3 * width);
      Bytes rows(kTogether * row + 1, 7);
      std::vector<float> line(kColumn * 61);
      RowsTask task{{},
                    {},
                    61,
                    static_cast<std::size_t>(width),
                    taps.first.data(),
                    0,
                    static_cast<std::size_t>(taps.count),
                    taps.weights.data(),
                    line.data()};
      for (std::size_t r = 0; r < kTogether; ++r) {
        task.in[r] = image.pixels.data() + r * 183;
        task.out[r] = rows.data() + r * row;
      }
      loops.resize_rows(task);
      EXPECT_EQ(rows.back(), 7) << "nothing is written past the last pixel";
      Bytes mixed(row);
      const std::vector<float> weights{1000, 0, 24536, 40000};
      loops.mix_rows(rows.data(), row, weights.data(), kTogether, mixed.data());
      return std::pair(rows, mixed);
    };
    EXPECT_EQ(made(plain_resample_loops()), made(resample_loops_v3())) << width;
  }
}

TEST(Resample, OfOneColourItMakesThatColour) {
  for (const std::uint8_t value : Bytes{0, 1, 127, 254, 255}) {
    const Image image{3, 40, 30, Bytes(3 * 40 * 30, value)};
    for (const Filter filter : {Filter::bilinear, Filter::area}) {
      for (const int size : {1, 7, 29, 30, 31, 224}) {
        for (const std::uint8_t pixel : resized(view_of(image, {0, 0, 40, 30}), filter, size, size).pixels)
          ASSERT_EQ(pixel, value);
      }
    }
  }
}

TEST(Resample, PixelsOutsideOfTheRectangleDoNotCount) {
  Image image = pattern(40, 40);
  const Rect rect{10, 12, 15, 13};
  const Image before = resized(view_of(image, rect), Filter::bilinear, 8, 20);
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 40; ++x) {
      const bool inside = y >= 10 && y < 25 && x >= 12 && x < 25;
      for (int c = 0; c < 3 && !inside; ++c)
        image.pixels[static_cast<std::size_t>((y * 40 + x) * 3 + c)] ^= 0xFF;
    }
  }
  EXPECT_EQ(resized(view_of(image, rect), Filter::bilinear, 8, 20).pixels, before.pixels);
}

TEST(Resample, WeightsAddUpToOne) {
  Taps taps;
  for (const Filter filter : {Filter::bilinear, Filter::area}) {
    for (const double length : {0.3, 1.0, 7.7, 100.0, 4000.0}) {
      for (const int outputs : {1, 3, 64, 224}) {
        find_taps(filter, 2.25, length, 2, 2 + static_cast<int>(length) + 2, outputs, taps);
        for (int i = 0; i < outputs; ++i) {
          float sum = 0;
          for (int k = 0; k < taps.count; ++k)
            sum += taps.weights[static_cast<std::size_t>(i * taps.count + k)];
          EXPECT_EQ(sum, 65536);
          EXPECT_GE(taps.first[static_cast<std::size_t>(i)], 2);
          EXPECT_LE(taps.first[static_cast<std::size_t>(i)] + taps.count, 2 + static_cast<int>(length) + 2);
        }
      }
    }
  }
}

}  // namespace
}  // namespace convoy
