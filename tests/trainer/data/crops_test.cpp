#include "trainer/data/crops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace convoy {
namespace {

const RandomStream kCropStream(5, Purpose::augment, 0);

bool is_inside(const Rect& r, int height, int width) {
  return r.top >= 0 && r.left >= 0 && r.height >= 1 && r.width >= 1 && r.top + r.height <= height &&
         r.left + r.width <= width;
}

TEST(RandomResizedCrop, IsInsideAndWithinItsBounds) {
  const RandomResizedCrop limits;
  for (const auto& [height, width] : {std::pair{375, 500}, {500, 375}, {256, 256}, {10, 10}, {1, 1}}) {
    for (int i = 0; i < 2000; ++i) {
      const Rect r = random_resized_crop(limits, kCropStream, 3, i, height, width);
      ASSERT_TRUE(is_inside(r, height, width));
      if (height < 100) continue;
      const double share = static_cast<double>(r.height) * r.width / height / width;
      EXPECT_GT(share, 0.08 * 0.97);
      const double aspect = static_cast<double>(r.width) / r.height;
      EXPECT_GT(aspect, 0.75 * 0.97);
      EXPECT_LT(aspect, 4.0 / 3 * 1.03);
    }
  }
}

// In a square image whose largest crops are refused, what is left of area and aspect is uniform: small areas
// never miss.
TEST(RandomResizedCrop, AreaAndLogarithmOfAspectAreUniform) {
  const RandomResizedCrop limits{0.1, 0.5, 0.5, 2};
  constexpr int kSamples = 20000;
  constexpr int kBins = 10;
  std::vector<int> areas(kBins), aspects(kBins), tops(kBins);
  for (int i = 0; i < kSamples; ++i) {
    const Rect r = random_resized_crop(limits, kCropStream, 0, i, 2000, 2000);
    const double share = static_cast<double>(r.height) * r.width / 4e6;
    const double aspect = std::log2(static_cast<double>(r.width) / r.height);
    ++areas[static_cast<std::size_t>(std::clamp((share - 0.1) / 0.4, 0.0, 0.999) * kBins)];
    ++aspects[static_cast<std::size_t>(std::clamp((aspect + 1) / 2, 0.0, 0.999) * kBins)];
    ++tops[static_cast<std::size_t>(r.top / (2001.0 - r.height) * kBins)];
  }
  for (const auto& counts : {areas, aspects, tops}) {
    double chi = 0;
    for (const int count : counts) chi += std::pow(count - kSamples / kBins, 2) / (kSamples / kBins);
    EXPECT_LT(chi, 9 + 5 * std::sqrt(18.0));
  }
}

TEST(RandomResizedCrop, WhereNoneFitsItIsCentral) {
  const RandomResizedCrop limits;
  EXPECT_EQ(random_resized_crop(limits, kCropStream, 0, 0, 10, 1000), (Rect{0, 493, 10, 13}));
  EXPECT_EQ(random_resized_crop(limits, kCropStream, 0, 0, 1000, 9), (Rect{494, 0, 12, 9}));
}

TEST(RandomResizedCrop, DependsOnEpochAndSampleAlone) {
  const RandomResizedCrop limits;
  const Rect one = random_resized_crop(limits, kCropStream, 1, 2, 300, 400);
  EXPECT_EQ(random_resized_crop(limits, RandomStream(5, Purpose::augment, 0), 1, 2, 300, 400), one);
  EXPECT_NE(random_resized_crop(limits, kCropStream, 2, 2, 300, 400), one);
  EXPECT_NE(random_resized_crop(limits, kCropStream, 1, 3, 300, 400), one);
  EXPECT_NE(random_resized_crop(limits, RandomStream(6, Purpose::augment, 0), 1, 2, 300, 400), one);
}

TEST(ResizedWindow, IsCentralOrAnywhere) {
  const Shape output{3, 224, 224};
  const ImageCrop centre = resized_window(256, -1, -1, 512, 1024, output);  // 256 x 512, scale 2
  EXPECT_EQ(centre.box.top, 32);
  EXPECT_EQ(centre.box.left, 288);
  EXPECT_EQ(centre.box.height, 448);
  EXPECT_EQ(centre.box.width, 448);
  const ImageCrop first = resized_window(256, 0, 0, 512, 1024, output);
  EXPECT_EQ(first.box.top, 0);
  EXPECT_EQ(first.box.left, 0);
  const ImageCrop last = resized_window(256, 0.9999, 0.9999, 512, 1024, output);
  EXPECT_EQ(last.box.top, 64);
  EXPECT_EQ(last.box.left, 576);
  for (const ImageCrop& crop : {centre, first, last}) EXPECT_TRUE(is_inside(crop.pixels, 512, 1024));
}

TEST(ResizedWindow, CoversTheOutputWhateverTheImage) {
  for (const Shape output : {Shape{3, 224, 224}, {3, 100, 300}, {3, 300, 100}, {3, 1, 1}}) {
    for (const auto& [height, width] : {std::pair{1, 1}, {1, 500}, {500, 1}, {300, 20}, {4000, 3000}}) {
      for (const int shorter : {1, 100, 256}) {
        const ImageCrop crop = resized_window(shorter, -1, -1, height, width, output);
        EXPECT_TRUE(is_inside(crop.pixels, height, width));
        EXPECT_GE(crop.box.top, -1e-9);
        EXPECT_GE(crop.box.left, -1e-9);
        EXPECT_LE(crop.box.top + crop.box.height, height + 1e-9);
        EXPECT_LE(crop.box.left + crop.box.width, width + 1e-9);
      }
    }
  }
}

}  // namespace
}  // namespace convoy
