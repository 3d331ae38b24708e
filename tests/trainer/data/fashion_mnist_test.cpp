#include <array>
#include <chrono>

#include "tests/trainer/data/data_files.h"
#include "trainer/data/loader.h"
#include "trainer/data/statistics.h"

namespace convoy {
namespace {

/// The files of Debian's package dataset-fashion-mnist; the numbers are Fashion-MNIST's own.
class FashionMnist : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFashionMnistRoot)) {
      GTEST_SKIP() << kFashionMnistRoot << " is not there: apt-get install dataset-fashion-mnist";
    }
  }
  static std::shared_ptr<const Dataset> open(Split split) {
    return open_dataset({.kind = "fashion-mnist"}, split);
  }
};

TEST_F(FashionMnist, EachClassHasItsShareOfBothSplits) {
  for (const Split split : {Split::train, Split::test}) {
    const auto set = open(split);
    EXPECT_EQ(set->size(), split == Split::train ? 60000 : 10000);
    std::array<int, 10> counts{};
    Image image;
    for (std::int64_t i = 0; i < set->size(); ++i) ++counts.at(static_cast<std::size_t>(set->read(i, image)));
    for (const int count : counts) EXPECT_EQ(count, split == Split::train ? 6000 : 1000);
  }
}

TEST_F(FashionMnist, FirstSamplesAreTheOnesEverybodySees) {
  const auto set = open(Split::train);
  EXPECT_EQ(set->shape(), (Shape{1, 28, 28}));
  EXPECT_EQ(set->class_names().at(9), "Ankle boot");
  EXPECT_EQ(set->class_names().at(0), "T-shirt/top");
  Image image;
  const std::vector<std::int32_t> first{9, 0, 0, 3, 0, 2, 7, 2, 5, 5};
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(set->read(static_cast<std::int64_t>(i), image), first[i]) << i;
  }
  set->read(0, image);  // an ankle boot: white above, its shaft on the right
  EXPECT_EQ(image.pixels[0], 0);
  EXPECT_EQ(image.pixels[3 * 28 + 12], 1);
  EXPECT_EQ(image.pixels[3 * 28 + 16], 73);
  const auto test = open(Split::test);
  const std::vector<std::int32_t> first_test{9, 2, 1, 1, 6, 1, 4, 6, 5, 7};
  for (std::size_t i = 0; i < first_test.size(); ++i) {
    EXPECT_EQ(test->read(static_cast<std::int64_t>(i), image), first_test[i]) << i;
  }
}

// 0.2860 and 0.3530 of pixels in 0 to 1, as published.
TEST_F(FashionMnist, MeanAndDeviationAreThePublishedOnes) {
  const auto set = open(Split::train);
  const ChannelStatistics all = channel_statistics(*set, set->size());
  ASSERT_EQ(all.mean.size(), 1U);
  EXPECT_NEAR(all.mean[0] / 255, 0.2860, 0.00005);
  EXPECT_NEAR(all.deviation[0] / 255, 0.3530, 0.00005);
  const ChannelStatistics some = channel_statistics(*set, 5000);
  EXPECT_NEAR(some.mean[0], all.mean[0], 2);
  EXPECT_NEAR(some.deviation[0], all.deviation[0], 2);
  EXPECT_NE(some.mean[0], all.mean[0]);
}

TEST_F(FashionMnist, ReportsTheLoadersSpeed) {
  const auto set = open(Split::train);
  LoaderOptions options{.batch = 64, .augmentation = {.crop_padding = 4, .flip = true}, .epochs = 2};
  Loader loader(set, {1, 28, 28}, options);
  const auto start = std::chrono::steady_clock::now();
  std::int64_t samples = 0;
  while (const Batch* batch = loader.next()) samples += batch->count;
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(samples, 120000);
  std::printf("batch 64, crop and flip, one thread: %.0f images/s\n",
              static_cast<double>(samples) / time.count());
}

}  // namespace
}  // namespace convoy
