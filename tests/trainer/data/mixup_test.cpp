#include "trainer/data/mixup.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "tests/trainer/data/chi_square.h"
#include "tests/trainer/data/counting_dataset.h"
#include "trainer/data/epoch_order.h"
#include "trainer/data/loader.h"

namespace convoy {
namespace {

const RandomStream kMixupStream(21, Purpose::augment, 0);
constexpr int kMixedSamples = 20000;

double drawn(double alpha, int index) { return draw_mixup(alpha, kMixupStream, 3, index) / 65536.0; }

// The larger share has the distribution function 2 F(x) - 1, where F is Beta's: what it makes of the shares
// is uniform.
TEST(Mixup, SharesAreOfTheBetaDistribution) {
  const std::vector<std::pair<double, std::function<double(double)>>> cases{
      {0.5, [](double x) { return 2 / std::numbers::pi * std::asin(std::sqrt(x)); }},
      {1, [](double x) { return x; }},
      {2, [](double x) { return x * x * (3 - 2 * x); }},
      {3, [](double x) { return x * x * x * (10 - 15 * x + 6 * x * x); }}};
  for (const auto& [alpha, distribution] : cases) {
    std::vector<int> counts(20);
    for (int i = 0; i < kMixedSamples; ++i) {
      const double share = drawn(alpha, i);
      ASSERT_GE(share, 0.5);
      ASSERT_LE(share, 1);
      ++counts[static_cast<std::size_t>(std::clamp(2 * distribution(share) - 1, 0.0, 0.9999) * 20)];
    }
    EXPECT_TRUE(is_uniform(counts)) << alpha;
  }
}

TEST(Mixup, SharesHaveTheVarianceOfAnyAlpha) {
  for (const double alpha : {0.01, 0.1, 0.2, 0.4, 0.9, 1.5, 8.0, 100.0}) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kMixedSamples; ++i) {
      const double off = std::pow(drawn(alpha, i) - 0.5, 2);
      sum += off;
      squares += off * off;
    }
    const double mean = sum / kMixedSamples;
    const double deviation = std::sqrt(squares / kMixedSamples - mean * mean);
    EXPECT_NEAR(mean, 1 / (4 * (2 * alpha + 1)), 4.5 * deviation / std::sqrt(kMixedSamples)) << alpha;
  }
}

TEST(Mixup, BytesAreRoundedAndKeepTheirSum) {
  for (const std::int32_t share : {32768, 32769, 40000, 58982, 65535, 65536}) {
    for (int a = 0; a < 256; ++a) {
      for (int b = 0; b < 256; ++b) {
        std::vector<std::uint8_t> one{static_cast<std::uint8_t>(a)};
        std::vector<std::uint8_t> other{static_cast<std::uint8_t>(b)};
        mix_pair(share, one, other);
        const double l = share / 65536.0;
        ASSERT_EQ(one[0], std::floor(a * l + b * (1 - l) + 0.5));
        ASSERT_EQ(other[0], std::floor(b * l + a * (1 - l) + 0.5));
      }
    }
  }
}

TEST(Mixup, APartnersPartnerIsTheSample) {
  for (const std::int64_t samples : {1, 2, 5, 8}) {
    int alone = 0;
    for (std::int64_t i = 0; i < samples; ++i) {
      const std::int64_t partner = mixup_partner(i, samples);
      alone += partner < 0;
      if (partner < 0) continue;
      EXPECT_NE(partner, i);
      EXPECT_LT(partner, samples);
      EXPECT_EQ(mixup_partner(partner, samples), i);
    }
    EXPECT_EQ(alone, samples % 2);
  }
}

/// All that the ranks' loaders give, batch after batch.
struct Mixed {
  std::vector<std::int64_t> indices;
  std::vector<std::int32_t> labels;
  std::vector<SecondLabel> second;
  std::vector<std::uint8_t> pixels;
};

Mixed load_mixed(const std::shared_ptr<CountingDataset>& set, LoaderOptions options) {
  std::vector<std::unique_ptr<Loader>> loaders;
  for (options.rank = 0; options.rank < options.ranks; ++options.rank)
    loaders.push_back(std::make_unique<Loader>(set, Shape{1, 2, 2}, options));
  Mixed all;
  for (std::size_t i = 0;; i = (i + 1) % loaders.size()) {
    const Batch* batch = loaders[i]->next();
    if (batch == nullptr) return all;
    EXPECT_EQ(batch->second_labels.size(), batch->labels.size());
    all.indices.insert(all.indices.end(), batch->indices.begin(), batch->indices.end());
    all.labels.insert(all.labels.end(), batch->labels.begin(), batch->labels.end());
    all.second.insert(all.second.end(), batch->second_labels.begin(), batch->second_labels.end());
    all.pixels.insert(all.pixels.end(), batch->pixels.begin(), batch->pixels.end());
  }
}

LoaderOptions mixing_options(std::int64_t batch, std::int64_t epochs) {
  LoaderOptions options;
  options.batch = batch;
  options.epochs = epochs;
  options.seed = 5;
  options.augmentation.mixup = 0.7;
  return options;
}

void expect_equal(const Mixed& a, const Mixed& b) {
  EXPECT_EQ(a.indices, b.indices);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.pixels, b.pixels);
  ASSERT_EQ(a.second.size(), b.second.size());
  for (std::size_t i = 0; i < a.second.size(); ++i) {
    ASSERT_EQ(a.second[i].label, b.second[i].label);
    ASSERT_EQ(a.second[i].share, b.second[i].share);
  }
}

// Written out the slow way: neighbours in the epoch's order, within a batch.
TEST(Mixup, TheLoaderMixesNeighboursOfTheBatch) {
  constexpr std::int64_t kSize = 31;
  constexpr std::int64_t kBatch = 9;
  const Mixed found = load_mixed(std::make_shared<CountingDataset>(kSize), mixing_options(kBatch, 2));
  const RandomStream stream(5, Purpose::augment, 0);
  std::size_t n = 0;
  int mixed = 0;
  for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
    const EpochOrder order(5, epoch, kSize, true);
    for (std::int64_t i = 0; i < kSize; ++i, ++n) {
      const std::int64_t place = i % kBatch;
      const std::int64_t start = i - place;
      const std::int64_t other = place % 2 == 0 ? place + 1 : place - 1;
      const bool alone = other >= std::min(kBatch, kSize - start);
      const std::int64_t mine = order.at(i);
      const std::int64_t partner = alone ? mine : order.at(start + other);
      const std::int64_t first = alone ? mine : order.at(start + std::min(place, other));
      const double l = alone ? 1 : draw_mixup(0.7, stream, epoch, first) / 65536.0;
      ASSERT_EQ(found.indices[n], mine);
      ASSERT_EQ(found.labels[n], mine % 7);
      ASSERT_EQ(found.second[n].label, partner % 7);
      ASSERT_FLOAT_EQ(found.second[n].share, static_cast<float>(1 - l));
      for (int p = 0; p < 4; ++p) {
        const double value =
            l * CountingDataset::pixel(mine, p) + (1 - l) * CountingDataset::pixel(partner, p);
        ASSERT_EQ(found.pixels[4 * n + static_cast<std::size_t>(p)], std::floor(value + 0.5));
      }
      mixed += l < 0.99;
    }
  }
  EXPECT_GT(mixed, 40);
}

TEST(Mixup, DependsOnNeitherRanksNorThreadsNorWhereARunGoesOn) {
  for (const std::int64_t batch : {1, 2, 7, 16, 97}) {
    const Mixed expected = load_mixed(std::make_shared<CountingDataset>(97), mixing_options(batch, 2));
    for (int ranks = 1; ranks <= 5; ++ranks) {
      for (const int threads : {1, 3}) {
        LoaderOptions options = mixing_options(batch, 2);
        options.ranks = ranks;
        options.threads = threads;
        const auto set = std::make_shared<CountingDataset>(97);
        expect_equal(load_mixed(set, options), expected);
        const std::int64_t batches = 2 * ((97 + batch - 1) / batch);
        EXPECT_LE(set->reads, 2 * 97 + batches * 2 * (ranks - 1)) << "only at the ranks' borders twice";
      }
    }
    LoaderOptions rest = mixing_options(batch, 2);
    rest.start_epoch = 1;
    const Mixed second = load_mixed(std::make_shared<CountingDataset>(97), rest);
    EXPECT_TRUE(std::equal(second.pixels.begin(), second.pixels.end(), expected.pixels.begin() + 4 * 97));
  }
}

TEST(Mixup, EachSampleCountsOnceInAll) {
  const auto set = std::make_shared<CountingDataset>(64);
  LoaderOptions options = mixing_options(16, 1);
  const Mixed all = load_mixed(set, options);
  for (std::size_t i = 0; i < 64; i += 2) {
    EXPECT_EQ(all.second[i].share, all.second[i + 1].share);
    EXPECT_EQ(all.second[i].label, all.labels[i + 1]);
    EXPECT_EQ(all.second[i + 1].label, all.labels[i]);
  }
}

TEST(Mixup, IsNotForEvaluationByTenCrops) {
  LoaderOptions options = mixing_options(4, 1);
  options.augmentation.ten_crops = true;
  EXPECT_THROW(Loader(std::make_shared<CountingDataset>(8), {1, 2, 2}, options), Error);
}

}  // namespace
}  // namespace convoy
