#include "trainer/data/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/trainer/data/shard_files.h"
#include "trainer/data/png_writer.h"

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

// By definition, around the mean, of more pixels than are added up at a time.
TEST(Statistics, CovarianceIsThatOfAllPixels) {
  const Folder folder;
  const Image image = pattern(300, 500);
  for (const char* name : {"train/a/a.png", "val/a/a.png"}) {
    folder.write(name, {});
    write_png(folder.path() + "/" + name, image);
  }
  DataSource source{.kind = "image-folder", .root = folder.path()};
  source.train_folder = "train";
  source.test_folder = "val";
  const ChannelStatistics found = channel_statistics(*open_dataset(source, Split::train), 1);
  constexpr double kPixels = 300 * 500;
  std::array<double, 9> covariance{};
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    for (std::size_t k = 0; k < 9; ++k)
      covariance[k] += (image.pixels[i + k / 3] - found.mean[k / 3]) *
                       (image.pixels[i + k % 3] - found.mean[k % 3]) / kPixels;
  }
  ASSERT_EQ(found.covariance.size(), 9U);
  for (std::size_t k = 0; k < 9; ++k) EXPECT_NEAR(found.covariance[k], covariance[k], 1e-8) << k;
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(found.deviation[c] * found.deviation[c], covariance[4 * c], 1e-8);
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
