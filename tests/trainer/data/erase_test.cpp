#include "trainer/data/erase.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/trainer/data/chi_square.h"
#include "tests/trainer/data/data_files.h"

namespace convoy {
namespace {

const RandomStream kErasingStream(11, Purpose::augment, 0);
constexpr int kErasedSamples = 20000;

Bytes erased(const RandomErasing& erasing, std::int64_t epoch, std::int64_t index, const Rect& rect,
             Shape shape, std::uint8_t before) {
  Bytes pixels(static_cast<std::size_t>(shape.elements()), before);
  erase_rectangle(erasing, kErasingStream, epoch, index, rect, shape, pixels.data());
  return pixels;
}

TEST(RandomErasing, ErasesItsShareOfTheSamples) {
  for (const double probability : {0.0, 0.3, 1.0}) {
    int count = 0;
    for (int i = 0; i < kErasedSamples; ++i)
      count += rectangle_to_erase({.probability = probability}, kErasingStream, 0, i, 224, 224).height > 0;
    const double deviation = std::sqrt(probability * (1 - probability) * kErasedSamples);
    EXPECT_NEAR(count, probability * kErasedSamples, 4 * deviation) << probability;
  }
}

// Where every try fits: areas are uniform, aspects in their logarithm, places among those that there are.
TEST(RandomErasing, AreasAspectsAndPlacesAreUniform) {
  const RandomErasing erasing{1, 0.05, 0.25, 0.5, 2};
  constexpr int kBins = 10;
  std::vector<int> areas(kBins), aspects(kBins), tops(kBins), lefts(kBins);
  for (int i = 0; i < kErasedSamples; ++i) {
    const Rect r = rectangle_to_erase(erasing, kErasingStream, 1, i, 2000, 2000);
    ASSERT_TRUE(r.height > 0 && r.width > 0 && r.top + r.height <= 2000 && r.left + r.width <= 2000);
    const auto bin = [&](std::vector<int>& counts, double share) {
      ++counts[static_cast<std::size_t>(std::clamp(share, 0.0, 0.9999) * kBins)];
    };
    bin(areas, (static_cast<double>(r.height) * r.width / 4e6 - 0.05) / 0.2);
    bin(aspects, (std::log2(static_cast<double>(r.width) / r.height) + 1) / 2);
    bin(tops, r.top / (2001.0 - r.height));
    bin(lefts, r.left / (2001.0 - r.width));
  }
  for (const auto& counts : {areas, aspects, tops, lefts}) EXPECT_TRUE(is_uniform(counts));
}

TEST(RandomErasing, NeverTakesAWholeSideAndGivesUpWhereNothingFits) {
  for (int i = 0; i < 2000; ++i) {
    const Rect r = rectangle_to_erase({.probability = 1}, kErasingStream, 2, i, 6, 9);
    EXPECT_TRUE(r.height < 6 && r.width < 9);
    EXPECT_EQ(rectangle_to_erase({.probability = 1}, kErasingStream, 2, i, 1, 1), Rect{});
  }
}

TEST(RandomErasing, OnlyTheRectangleLosesItsPixels) {
  const Shape shape{3, 5, 7};
  const Rect rect{1, 2, 3, 4};
  RandomErasing erasing{.probability = 1, .with = EraseWith::mean, .mean = {10, 20, 30}};
  const Bytes mean = erased(erasing, 0, 0, rect, shape, 99);
  erasing.with = EraseWith::zero;
  const Bytes zero = erased(erasing, 0, 0, rect, shape, 99);
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    const std::int64_t y = i / 21;
    const std::int64_t x = i / 3 % 7;
    const bool inside = y >= 1 && y < 4 && x >= 2 && x < 6;
    EXPECT_EQ(mean[static_cast<std::size_t>(i)], inside ? 10 * (i % 3 + 1) : 99);
    EXPECT_EQ(zero[static_cast<std::size_t>(i)], inside ? 0 : 99);
  }
}

TEST(RandomErasing, RandomPixelsAreUniformAndDifferBySample) {
  const Shape shape{3, 100, 100};
  const Rect all{0, 0, 100, 100};
  const RandomErasing erasing{.probability = 1};
  const Bytes one = erased(erasing, 0, 0, all, shape, 0);
  std::vector<int> counts(256);
  for (const std::uint8_t value : one) ++counts[value];
  EXPECT_TRUE(is_uniform(counts));
  EXPECT_EQ(one, erased(erasing, 0, 0, all, shape, 0));
  EXPECT_NE(one, erased(erasing, 1, 0, all, shape, 0));
  EXPECT_NE(one, erased(erasing, 0, 1, all, shape, 0));
}

}  // namespace
}  // namespace convoy
