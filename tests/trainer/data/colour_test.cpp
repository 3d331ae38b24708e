#include "trainer/data/colour.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/trainer/data/chi_square.h"
#include "tests/trainer/data/image_files.h"

namespace convoy {
namespace {

const RandomStream kColourStream(3, Purpose::augment, 0);
constexpr int kJitteredSamples = 20000;

/// Square `number` of those that tests/golden/make_colours.py writes; the first is what all others are made
/// from.
Image square(int number) {
  static const Image all = read_ppm(kImages + "colours.ppm");
  const int side = all.width;
  const auto bytes = std::ptrdiff_t{3} * side * side;
  const auto first = all.pixels.begin() + number * bytes;
  return {3, side, side, {first, first + bytes}};
}

using Change = ColourChange;

void make(Change change, float amount, Image& image) {
  if (change == Change::brightness) change_brightness(image.pixels, amount);
  if (change == Change::contrast) change_contrast(image.pixels, 3, amount);
  if (change == Change::saturation) change_saturation(image.pixels, amount);
  if (change == Change::hue) change_hue(image.pixels, amount);
}

/// Of the changes, one after the other, to square `number`.
int distance_after(const std::vector<std::pair<Change, float>>& changes, int number) {
  Image image = square(0);
  for (const auto& [change, amount] : changes) make(change, amount, image);
  return distance(image, square(number));
}

TEST(ColourJitter, BrightnessContrastAndSaturationArePillowsToTheBit) {
  int number = 0;
  for (const float factor : {0.6F, 1.45F})
    EXPECT_EQ(distance_after({{Change::brightness, factor}}, ++number), 0);
  for (const float factor : {0.3F, 1.9F})
    EXPECT_EQ(distance_after({{Change::contrast, factor}}, ++number), 0);
  for (const float factor : {0.F, 0.55F, 1.8F})
    EXPECT_EQ(distance_after({{Change::saturation, factor}}, ++number), 0);
}

TEST(ColourJitter, HueIsTorchvisionsWithinOneLevel) {
  int number = 7;
  for (const float turn : {-0.3F, 0.07F, 0.5F}) EXPECT_LE(distance_after({{Change::hue, turn}}, ++number), 1);
}

TEST(ColourJitter, OneChangeAfterTheOtherIsTorchvisionsToo) {
  EXPECT_EQ(
      distance_after({{Change::brightness, 1.3F}, {Change::contrast, 0.7F}, {Change::saturation, 1.5F}}, 11),
      0);
  EXPECT_EQ(
      distance_after({{Change::saturation, 0.6F}, {Change::contrast, 1.4F}, {Change::brightness, 0.8F}}, 12),
      0);
  EXPECT_LE(distance_after({{Change::contrast, 0.8F},
                            {Change::saturation, 1.2F},
                            {Change::brightness, 1.1F},
                            {Change::hue, 0.2F}},
                           13),
            1);
}

// Of tensors torchvision takes the mean of greys that are cut off, and other weights of red, green and blue.
TEST(ColourJitter, EachChangeIsThatOfTorchvisionsTensorsWithinOneLevel) {
  const std::vector<std::pair<Change, float>> changes{{Change::brightness, 0.6F}, {Change::brightness, 1.45F},
                                                      {Change::contrast, 0.3F},   {Change::contrast, 1.9F},
                                                      {Change::saturation, 0.F},  {Change::saturation, 0.55F},
                                                      {Change::saturation, 1.8F}, {Change::hue, -0.3F},
                                                      {Change::hue, 0.07F},       {Change::hue, 0.5F}};
  int number = 13;
  for (const auto& change : changes) {
    EXPECT_LE(distance_after({change}, ++number), 1) << number;
    EXPECT_GT(distance(square(number), square(0)), 20) << number;
  }
}

TEST(ColourJitter, HueTurnedAndTurnedBackIsTheSame) {
  for (const float turn : {0.F, 1.F, -1.F}) {
    Image image = square(0);
    change_hue(image.pixels, turn);
    EXPECT_EQ(image.pixels, square(0).pixels) << turn;
  }
  Image image = square(0);
  for (int i = 0; i < 3; ++i) change_hue(image.pixels, 1.F / 3);  // red to green to blue to red
  EXPECT_EQ(distance(image, square(0)), 0);
}

// Each change is made in its place: in the drawn order, the result is that of the four calls one by one.
TEST(ColourJitter, ChangesAreMadeInTheDrawnOrder) {
  const ColourJitter all{0.5, 0.5, 0.5, 0.3};
  std::set<std::array<Change, 4>> orders;
  for (int i = 0; i < 100; ++i) {
    const Jittering drawn = draw_jitter(all, kColourStream, 1, i);
    orders.insert(drawn.order);
    Image image = square(0);
    jitter_colours(drawn, 3, image.pixels);
    Image expected = square(0);
    for (const Change change : drawn.order)
      make(change, drawn.amount[static_cast<std::size_t>(change)], expected);
    ASSERT_EQ(image.pixels, expected.pixels);
  }
  EXPECT_GT(orders.size(), 20U);
}

TEST(ColourJitter, FactorsAreUniformAndOrdersEquallyLikely) {
  const ColourJitter jitter{0.4, 1.5, 0.2, 0.25};
  const std::array<std::pair<double, double>, 4> bounds{{{0.6, 1.4}, {0, 2.5}, {0.8, 1.2}, {-0.25, 0.25}}};
  std::array<std::vector<int>, 4> bins;
  bins.fill(std::vector<int>(20));
  std::map<std::array<Change, 4>, int> orders;
  for (int i = 0; i < kJitteredSamples; ++i) {
    const Jittering drawn = draw_jitter(jitter, kColourStream, 2, i);
    ++orders[drawn.order];
    for (std::size_t k = 0; k < 4; ++k) {
      const double share = (drawn.amount[k] - bounds[k].first) / (bounds[k].second - bounds[k].first);
      ASSERT_GE(share, -1e-6);
      ASSERT_LE(share, 1 + 1e-6);
      ++bins[k][static_cast<std::size_t>(std::clamp(share, 0.0, 0.9999) * 20)];
    }
  }
  for (const std::vector<int>& counts : bins) EXPECT_TRUE(is_uniform(counts));
  ASSERT_EQ(orders.size(), 24U);
  std::vector<int> counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  EXPECT_TRUE(is_uniform(counts));
}

TEST(ColourJitter, WhatIsNotAskedForIsLeftAlone) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(draw_jitter({0, 0, 0, 0}, kColourStream, 0, i).amount, (std::array<float, 4>{1, 1, 1, 0}));
    const Jittering drawn = draw_jitter({0, 0.3, 0, 0}, kColourStream, 0, i);
    EXPECT_EQ(drawn.amount[0], 1);
    EXPECT_NE(drawn.amount[1], 1);
  }
}

TEST(ColourJitter, OneChannelHasBrightnessAndContrast) {
  Bytes pixels{0, 100, 200, 40};  // mean 85
  change_contrast(pixels, 1, 0.5F);
  EXPECT_EQ(pixels, (Bytes{42, 92, 142, 62}));
  change_brightness(pixels, 2);
  EXPECT_EQ(pixels, (Bytes{84, 184, 255, 124}));
}

/// Of a set whose colours are apart from ImageNet's: greens against reds above all.
const PrincipalColours kOwnColours{{0.12, 0.07, 0.03},
                                   {{{0.6, -0.8, 0}, {0.48, 0.36, 0.8}, {-0.64, -0.48, 0.6}}}};

/// Means, and products of each two, of many shifts: along components, or of channels.
struct ShiftMoments {
  std::array<double, 3> mean{};
  Matrix3 product{};

  void add(const std::array<double, 3>& shift) {
    for (std::size_t k = 0; k < 3; ++k) {
      mean[k] += shift[k] / kJitteredSamples;
      for (std::size_t l = 0; l < 3; ++l) product[k][l] += shift[k] * shift[l] / kJitteredSamples;
    }
  }
};

/// α_i λ_i p_i: along each eigenvector the shift is normal, with the deviation sigma λ_i in grey levels.
void expect_normal_along_components(const ColourShift& shift) {
  const auto& [values, vectors] = shift.colours;
  ShiftMoments along;
  int within = 0;
  for (int i = 0; i < kJitteredSamples; ++i) {
    const std::array<int, 3> added = draw_shift(shift, kColourStream, 5, i);
    std::array<double, 3> lengths{};
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t c = 0; c < 3; ++c) lengths[k] += vectors[k][c] * added[c];
    }
    within += std::abs(lengths[0]) < shift.sigma * 255 * values[0];
    along.add(lengths);
  }
  // A channel's rounding adds a variance of 1/12, and the largest shifts of all end at 255.
  for (std::size_t k = 0; k < 3; ++k) {
    const double deviation = shift.sigma * 255 * values[k];
    EXPECT_NEAR(along.mean[k], 0, 4 * deviation / std::sqrt(kJitteredSamples)) << k;
    EXPECT_NEAR(std::sqrt(along.product[k][k]), std::sqrt(deviation * deviation + 1.0 / 12), 0.03 * deviation)
        << k;
    for (std::size_t l = 0; l < k; ++l) {
      EXPECT_NEAR(along.product[k][l], 0,
                  4 * deviation * shift.sigma * 255 * values[l] / std::sqrt(kJitteredSamples) + 1)
          << k << l;
    }
  }
  EXPECT_NEAR(within, 0.6827 * kJitteredSamples, 4 * std::sqrt(0.22 * kJitteredSamples));
}

TEST(ColourShift, IsNormalAlongThePrincipalComponents) {
  expect_normal_along_components({.sigma = 2, .colours = kImageNetColours});  // large: grey levels are whole
  expect_normal_along_components({.sigma = 2, .colours = kOwnColours});
}

// Of the channels: without a mean, and with the covariance Σ_i (255 sigma λ_i)² p_i p_iᵀ.
TEST(ColourShift, OfChannelsHasTheCovarianceOfItsComponents) {
  const ColourShift shift{.sigma = 2, .colours = kOwnColours};
  ShiftMoments channels;
  for (int i = 0; i < kJitteredSamples; ++i) {
    const std::array<int, 3> added = draw_shift(shift, kColourStream, 6, i);
    channels.add(
        {static_cast<double>(added[0]), static_cast<double>(added[1]), static_cast<double>(added[2])});
  }
  Matrix3 expected{};
  for (std::size_t k = 0; k < 9; ++k) {
    for (std::size_t i = 0; i < 3; ++i) {
      const double deviation = 255 * shift.sigma * kOwnColours.values[i];
      expected[k / 3][k % 3] +=
          deviation * deviation * kOwnColours.vectors[i][k / 3] * kOwnColours.vectors[i][k % 3];
    }
  }
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(channels.mean[k], 0, 4 * std::sqrt(expected[k][k] / kJitteredSamples)) << k;
    for (std::size_t l = 0; l < 3; ++l) {
      const double spread = std::sqrt(expected[k][k] * expected[l][l]);  // of a product, but for a factor √2
      EXPECT_NEAR(channels.product[k][l], expected[k][l] + (k == l ? 1.0 / 12 : 0),
                  4 * std::sqrt(2.0 / kJitteredSamples) * spread)
          << k << l;
    }
  }
}

// Signs are of no meaning, but draws are: published values give the shifts that they gave before.
TEST(ColourShift, OfImageNetIsByThePublishedTable) {
  const std::array<double, 3> values{0.2175, 0.0188, 0.0045};  // fb.resnet.torch, which has columns
  const Matrix3 columns{{{-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}}};
  EXPECT_EQ(ColourShift{}.colours.values, values);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(ColourShift{}.colours.vectors[i][c], columns[c][i]);
  }
}

TEST(ColourShift, AddsAndStaysWithinBytes) {
  Bytes pixels{0, 10, 250, 255, 128, 3};
  shift_colours({-5, 7, 10}, pixels);
  EXPECT_EQ(pixels, (Bytes{0, 17, 255, 250, 135, 13}));
}

TEST(ColourShift, DependsOnEpochAndSampleAlone) {
  const ColourShift shift{.sigma = 1};
  EXPECT_EQ(draw_shift(shift, kColourStream, 1, 2),
            draw_shift(shift, RandomStream(3, Purpose::augment, 0), 1, 2));
  EXPECT_NE(draw_shift(shift, kColourStream, 1, 2), draw_shift(shift, kColourStream, 2, 2));
  EXPECT_NE(draw_shift(shift, kColourStream, 1, 2), draw_shift(shift, kColourStream, 1, 3));
  EXPECT_EQ(draw_shift({}, kColourStream, 1, 2), (std::array<int, 3>{0, 0, 0}));
}

}  // namespace
}  // namespace convoy
