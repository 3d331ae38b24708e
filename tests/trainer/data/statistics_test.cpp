#include "trainer/data/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/trainer/data/shard_files.h"

namespace convoy {
namespace {

TEST(Statistics, AreExactOnAnyNumberOfThreads) {
  const ImageTree tree({"a", "b", "c"}, {17, 18, 16});
  const auto set = open_dataset(tree.source(), Split::train);
  // By definition, in long doubles.
  std::vector<long double> sums(3), squares(3);
  long double count = 0;
  Image image;
  for (std::int64_t i = 0; i < set->size(); ++i) {
    set->read(i, image);
    for (std::size_t j = 0; j < image.pixels.size(); ++j) {
      sums[j % 3] += image.pixels[j];
      squares[j % 3] += static_cast<long double>(image.pixels[j]) * image.pixels[j];
    }
    count += static_cast<long double>(image.height * image.width);
  }
  Augmentation centre;
  centre.crop = CropKind::centre;
  centre.shorter_side = 12;
  const ChannelStatistics one = channel_statistics(*set, 1000);
  const ChannelStatistics cropped = channel_statistics(*set, 1000, centre, {3, 10, 10});
  for (std::size_t c = 0; c < 3; ++c) {
    const long double mean = sums[c] / count;
    EXPECT_NEAR(one.mean[c], static_cast<double>(mean), 1e-9);
    EXPECT_NEAR(one.deviation[c], static_cast<double>(std::sqrt(squares[c] / count - mean * mean)), 1e-6);
  }
  for (const int threads : {2, 3, 8}) {
    std::atomic<std::int64_t> seen = 0;
    const ChannelStatistics many = channel_statistics(*set, 1000, threads, &seen);
    EXPECT_EQ(many.mean, one.mean);
    EXPECT_EQ(many.deviation, one.deviation);
    EXPECT_EQ(seen, 51);
    EXPECT_EQ(channel_statistics(*set, 1000, centre, {3, 10, 10}, threads).mean, cropped.mean);
  }
}

TEST(Statistics, ABrokenImageIsTold) {
  const ImageTree tree({"a"}, {5});
  tree.folder.write("train/a/c.jpg", {'t', 'e', 'x', 't'});
  const auto set = open_dataset(tree.source(), Split::train);
  for (const int threads : {1, 4}) {
    expect_error(ExitCode::data, {"a/c.jpg: is neither"}, [&] { channel_statistics(*set, 10, threads); });
  }
}

}  // namespace
}  // namespace convoy
