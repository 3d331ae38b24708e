#include <chrono>
#include <map>

#include "tests/trainer/data/data_files.h"
#include "trainer/data/dataset.h"
#include "trainer/data/statistics.h"

namespace convoy {
namespace {

const DataSource kSource{.kind = "synthetic", .shape = {3, 13, 17}, .classes = 5, .samples = 2000, .seed = 3};

TEST(Synthetic, IsAFunctionOfSeedSplitAndIndex) {
  const auto one = open_dataset(kSource, Split::train);
  const auto again = open_dataset(kSource, Split::train);
  const auto test = open_dataset(kSource, Split::test);
  DataSource other_source = kSource;
  other_source.seed = 4;
  const auto other = open_dataset(other_source, Split::train);
  Image a;
  Image b;
  one->read(7, b);  // what was read before does not matter
  EXPECT_EQ(one->read(42, a), again->read(42, b));
  EXPECT_EQ(a.pixels, b.pixels);
  for (const auto& set : {test, other}) {
    set->read(42, b);
    EXPECT_NE(a.pixels, b.pixels);
  }
  one->read(43, b);
  EXPECT_NE(a.pixels, b.pixels);
  EXPECT_EQ(a.channels, 3);
  EXPECT_EQ(a.height, 13);
  EXPECT_EQ(a.width, 17);
  EXPECT_EQ(a.pixels.size(), 3U * 13 * 17);
}

// A sample is nearer to its class's mean over the training samples than to another's: it can be learnt, and
// what is learnt holds for the test samples.
TEST(Synthetic, TestSamplesHaveThePatternsOfTheTrainingSamples) {
  const auto train = open_dataset(kSource, Split::train);
  const auto test = open_dataset(kSource, Split::test);
  std::vector<std::vector<double>> sums(5, std::vector<double>(3 * 13 * 17));
  std::vector<double> counts(5);
  Image image;
  for (std::int64_t i = 0; i < train->size(); ++i) {
    const auto label = static_cast<std::size_t>(train->read(i, image));
    ++counts.at(label);
    for (std::size_t j = 0; j < image.pixels.size(); ++j) sums[label][j] += image.pixels[j];
  }
  for (const double count : counts) EXPECT_NEAR(count, 400, 80);
  int right = 0;
  for (std::int64_t i = 0; i < test->size(); ++i) {
    const std::int32_t label = test->read(i, image);
    std::map<double, std::int32_t> by_distance;
    for (std::size_t c = 0; c < 5; ++c) {
      double distance = 0;
      for (std::size_t j = 0; j < image.pixels.size(); ++j) {
        const double difference = image.pixels[j] - sums[c][j] / counts[c];
        distance += difference * difference;
      }
      by_distance[distance] = static_cast<std::int32_t>(c);
    }
    right += by_distance.begin()->second == label;
  }
  EXPECT_GT(right, 1980);
}

TEST(Synthetic, PixelsFillTheRange) {
  const ChannelStatistics statistics = channel_statistics(*open_dataset(kSource, Split::train), 1000);
  ASSERT_EQ(statistics.mean.size(), 3U);
  for (const double mean : statistics.mean) EXPECT_NEAR(mean, 128, 15);
  for (const double deviation : statistics.deviation) EXPECT_NEAR(deviation, 49, 8);
}

TEST(Synthetic, RefusesShapesThatCannotBe) {
  const auto open = [](Shape shape, int classes, std::int64_t samples) {
    open_dataset({.kind = "synthetic", .shape = shape, .classes = classes, .samples = samples}, Split::train);
  };
  expect_error(ExitCode::usage, {"0 x 4 x 4"}, [&] { open({0, 4, 4}, 2, 10); });
  expect_error(ExitCode::usage, {"data.classes"}, [&] { open({1, 4, 4}, 0, 10); });
  expect_error(ExitCode::usage, {"data.samples"}, [&] { open({1, 4, 4}, 2, 0); });
}

TEST(Synthetic, ReportsItsSpeed) {
  const auto set = open_dataset(
      {.kind = "synthetic", .shape = {3, 224, 224}, .classes = 1000, .samples = 100000}, Split::train);
  Image image;
  set->read(0, image);
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t i = 1; i <= 100; ++i) set->read(i, image);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  std::printf("3 x 224 x 224: %.3f ms an image\n", time.count() / 100);
}

}  // namespace
}  // namespace convoy
