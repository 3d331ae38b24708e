#include "trainer/data/principal_colours.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/trainer/data/colour_sets.h"
#include "trainer/data/dataset.h"
#include "trainer/data/statistics.h"

namespace convoy {
namespace {

std::shared_ptr<const Dataset> open_golden_set(const boost::json::value& set, const Folder& folder) {
  write_golden_set(set, folder);
  DataSource source{.kind = "image-folder", .root = folder.path()};
  source.train_folder = "train";
  source.test_folder = "val";
  return open_dataset(source, Split::train);
}

/// Whether two of the components are as long as each other, so that their directions are of no meaning.
bool has_equal_values(const std::vector<double>& values) {
  return std::min(values[0] - values[1], values[1] - values[2]) <= 1e-6 * values[0];
}

TEST(PrincipalColours, OfAllPixelsOfASetAreNumpys) {
  const boost::json::object golden = golden_colours();
  for (const boost::json::value& set : golden.at("sets").as_array()) {
    const Folder folder;
    const auto images = open_golden_set(set, folder);
    ASSERT_EQ(images->size(), std::ssize(set.at("images").as_array()));
    const ChannelStatistics found = channel_statistics(*images, images->size());
    EXPECT_LT(relative_distance(found.mean, numbers_in(set.at("mean"))), 1e-13);
    EXPECT_LT(relative_distance(found.deviation, numbers_in(set.at("deviation"))), 1e-13);
    EXPECT_LT(relative_distance(found.covariance, numbers_in(set.at("covariance"))), 1e-13);
    const PrincipalColours colours = principal_colours(found);
    const std::vector<double> values = numbers_in(set.at("eigenvalues"));
    EXPECT_LT(relative_distance(value_list(colours), values), 1e-13);
    if (has_equal_values(values)) continue;
    EXPECT_LT(distance_of_components(vector_list(colours), numbers_in(set.at("eigenvectors"))), 1e-12);
  }
}

TEST(PrincipalColours, DoNotDependOnThreads) {
  const Folder folder;
  const auto images = open_golden_set(golden_colours()["sets"].at(1), folder);
  const ChannelStatistics one = channel_statistics(*images, images->size(), 1);
  for (const int threads : {2, 5})
    EXPECT_EQ(channel_statistics(*images, images->size(), threads).covariance, one.covariance);
}

// Greys have one component, along (1, 1, 1), and nothing is lost in sums that cancel.
TEST(PrincipalColours, OfGreysAreOne) {
  const Folder folder;
  const auto images = open_golden_set(golden_colours()["sets"].at(2), folder);
  const ChannelStatistics found = channel_statistics(*images, images->size());
  for (const double value : found.covariance) EXPECT_EQ(value, found.covariance[0]);
  const PrincipalColours colours = principal_colours(found);
  EXPECT_NEAR(colours.values[0], 3 * found.covariance[0] / 65025, 1e-15);
  EXPECT_LT(colours.values[1], 1e-15);
  for (const double element : colours.vectors[0]) EXPECT_NEAR(element, std::sqrt(1.0 / 3), 1e-15);
}

TEST(PrincipalColours, OfOneColourHaveNoLength) {
  const Folder folder;
  Image red{3, 300, 300, {}};  // more pixels than one block of sums
  for (int i = 0; i < 300 * 300; ++i) red.pixels.insert(red.pixels.end(), {255, 254, 3});
  for (const char* place : {"train/all/a.jpg", "val/all/a.jpg"}) folder.write(place, jpeg_of(red));
  DataSource source{.kind = "image-folder", .root = folder.path()};
  source.train_folder = "train";
  source.test_folder = "val";
  const ChannelStatistics found = channel_statistics(*open_dataset(source, Split::train), 1);
  EXPECT_NEAR(found.mean[0], 255, 2);
  EXPECT_EQ(found.deviation, std::vector<double>(3, 0));
  const PrincipalColours colours = principal_colours(found);
  EXPECT_EQ(value_list(colours), std::vector<double>(3, 0));
  EXPECT_EQ(vector_list(colours), (std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1}));
}

// Eigenvalues as numpy's to the last digits; eigenvectors by their definition, and as numpy's where they are
// apart.
TEST(PrincipalColours, AreEigenvaluesAndEigenvectors) {
  const boost::json::object all = golden_colours();
  for (const boost::json::value& golden : all.at("matrices").as_array()) {
    SCOPED_TRACE(boost::json::serialize(golden.at("matrix")));
    const std::vector<double> matrix = numbers_in(golden.at("matrix"));
    const std::vector<double> values = numbers_in(golden.at("eigenvalues"));
    Matrix3 square{};
    for (std::size_t i = 0; i < 9; ++i) square[i / 3][i % 3] = matrix[i];
    const PrincipalColours found = principal_components(square);
    EXPECT_LT(relative_distance(value_list(found), values), 2e-15);
    if (!has_equal_values(values)) {
      EXPECT_LT(distance_of_components(vector_list(found), numbers_in(golden.at("eigenvectors"))), 1e-13);
    }
    EXPECT_GE(found.values[0], found.values[1]);
    EXPECT_GE(found.values[1], found.values[2]);
    EXPECT_GE(found.values[2], 0);
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& vector = found.vectors[i];
      EXPECT_GE(std::ranges::max(vector), -std::ranges::min(vector));
      for (std::size_t c = 0; c < 3; ++c) {
        double product = -found.values[i] * vector[c];
        for (std::size_t k = 0; k < 3; ++k) product += square[c][k] * vector[k];
        EXPECT_LE(std::abs(product), 2e-15 * values[0]);
      }
      for (std::size_t k = 0; k < 3; ++k) {
        double product = i == k ? -1 : 0;
        for (std::size_t c = 0; c < 3; ++c) product += vector[c] * found.vectors[k][c];
        EXPECT_NEAR(product, 0, 1e-15);
      }
    }
  }
}

TEST(PrincipalColours, AreTheSameAsLists) {
  const PrincipalColours colours = principal_colours({3, 2, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(colours.vectors[1][2], 6);
  EXPECT_EQ(value_list(colours), (std::vector<double>{3, 2, 1}));
  EXPECT_EQ(vector_list(colours), (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(principal_colours(value_list(kImageNetColours), vector_list(kImageNetColours)), kImageNetColours);
}

}  // namespace
}  // namespace convoy
