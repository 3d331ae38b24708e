#include "trainer/data/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "tests/trainer/data/data_files.h"

namespace convoy {
namespace {

const RandomStream kAugmentStream(1, Purpose::augment, 0);

/// Pixel (y, x, c) has the value 1 + c + channels × (x + width × y): all different, none zero.
Image numbered(int channels, int height, int width) {
  Image image{channels, height, width, Bytes(static_cast<std::size_t>(channels * height * width))};
  std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{1});
  return image;
}

Bytes augmented(const Augmentation& augmentation, std::int64_t epoch, std::int64_t index, const Image& in,
                Shape output) {
  Bytes out(static_cast<std::size_t>(output.elements()), 0xEE);
  augment(augmentation, kAugmentStream, epoch, index, in, out.data(), output);
  return out;
}

/// What the window at (top, left) of the stored image shows, written the slow way.
Bytes expected_window(const Image& in, std::int64_t top, std::int64_t left, bool mirror, Shape output) {
  Bytes out;
  for (std::int64_t y = 0; y < output.height; ++y) {
    for (std::int64_t x = 0; x < output.width; ++x) {
      const std::int64_t in_y = y + top;
      const std::int64_t in_x = (mirror ? output.width - 1 - x : x) + left;
      const bool inside = in_y >= 0 && in_y < in.height && in_x >= 0 && in_x < in.width;
      for (int c = 0; c < in.channels; ++c) {
        out.push_back(inside ? in.pixels[static_cast<std::size_t>((in_y * in.width + in_x) * in.channels + c)]
                             : 0);
      }
    }
  }
  return out;
}

TEST(Augment, WithoutAnyTheImageStaysAndASmallerWindowIsCentral) {
  const Image in = numbered(3, 6, 9);
  EXPECT_EQ(augmented({}, 0, 0, in, {3, 6, 9}), in.pixels);
  EXPECT_EQ(augmented({}, 0, 0, in, {3, 4, 4}), expected_window(in, 1, 2, false, {3, 4, 4}));
}

// Each offset and side comes as often as another, independent of each other, and each is the window it should
// be.
TEST(Augment, CropsAreUniformAndHalfAreMirrored) {
  constexpr int kPadding = 2;
  constexpr int kPlaces = 2 * kPadding + 1;
  constexpr int kSamples = 20000;
  for (const int channels : {1, 3, 4}) {
    const Image in = numbered(channels, 5, 6);
    const Shape output{channels, 5, 6};
    std::vector<int> counts(2 * kPlaces * kPlaces);
    std::vector<Bytes> windows;
    for (int i = 0; i < 2 * kPlaces * kPlaces; ++i) {
      const int place = i / 2;
      windows.push_back(
          expected_window(in, place / kPlaces - kPadding, place % kPlaces - kPadding, i % 2 == 1, output));
    }
    for (int i = 0; i < kSamples; ++i) {
      const Bytes out = augmented({kPadding, true}, 3, i, in, output);
      const auto found = std::find(windows.begin(), windows.end(), out);
      ASSERT_NE(found, windows.end());
      ++counts[static_cast<std::size_t>(found - windows.begin())];
    }
    const double expected = static_cast<double>(kSamples) / static_cast<double>(counts.size());
    double chi = 0;
    for (const int count : counts) chi += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi, 49 + 5 * std::sqrt(2.0 * 49)) << channels;
    int mirrored = 0;
    for (std::size_t i = 1; i < counts.size(); i += 2) mirrored += counts[i];
    EXPECT_NEAR(mirrored, kSamples / 2, 4 * std::sqrt(kSamples) / 2);
  }
}

TEST(Augment, PaddingWiderThanTheImageCanShowNothing) {
  const Image in = numbered(1, 2, 2);
  int empty = 0;
  for (int i = 0; i < 1000; ++i) empty += augmented({5, true}, 0, i, in, {1, 2, 2}) == Bytes(4);
  EXPECT_NEAR(empty, 1000 * (121 - 9) / 121, 40);  // 9 of 11 x 11 places touch the image
}

TEST(Augment, CentredTheWindowIsInTheMiddleOfThePaddedImage) {
  const Image in = numbered(1, 4, 6);
  for (const Shape output : {Shape{1, 8, 10}, Shape{1, 4, 6}, Shape{1, 6, 4}}) {
    const Augmentation evaluation{.crop_padding = 2, .flip = true, .centred = true};
    const Bytes middle = expected_window(in, (4 - output.height) / 2, (6 - output.width) / 2, false, output);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(augmented(evaluation, 0, i, in, output), middle);
  }
}

TEST(Augment, FlipAloneDoesNotMove) {
  const Image in = numbered(1, 3, 5);
  int mirrored = 0;
  for (int i = 0; i < 1000; ++i) {
    const Bytes out = augmented({0, true}, 0, i, in, {1, 3, 5});
    const bool mirror = out != in.pixels;
    EXPECT_EQ(out, expected_window(in, 0, 0, mirror, {1, 3, 5}));
    mirrored += mirror;
  }
  EXPECT_NEAR(mirrored, 500, 64);
}

TEST(Augment, DiffersByEpochAndIndexAndRepeats) {
  const Image in = numbered(1, 8, 8);
  const Augmentation augmentation{4, true};
  int by_epoch = 0;
  int by_index = 0;
  for (int i = 0; i < 100; ++i) {
    const Bytes one = augmented(augmentation, 1, i, in, {1, 8, 8});
    EXPECT_EQ(one, augmented(augmentation, 1, i, in, {1, 8, 8}));
    by_epoch += one != augmented(augmentation, 2, i, in, {1, 8, 8});
    by_index += one != augmented(augmentation, 1, i + 1, in, {1, 8, 8});
  }
  EXPECT_GT(by_epoch, 90);
  EXPECT_GT(by_index, 90);
}

TEST(Augment, RefusesImagesThatDoNotFit) {
  const Image in = numbered(1, 4, 4);
  expect_error(ExitCode::usage, {"1 x 4 x 4", "3 x 4 x 4"}, [&] { augmented({}, 0, 0, in, {3, 4, 4}); });
  expect_error(ExitCode::usage, {"1 x 5 x 4", "or set data.crop_padding"}, [&] {
    augmented({}, 0, 0, in, {1, 5, 4});
  });
  expect_error(ExitCode::usage, {"padded by 1", "1 x 4 x 7"}, [&] {
    augmented({1, false}, 0, 0, in, {1, 4, 7});
  });
  EXPECT_NO_THROW(check_augmentation({}, {3, 0, 0}, {3, 224, 224}));
}

}  // namespace
}  // namespace convoy
