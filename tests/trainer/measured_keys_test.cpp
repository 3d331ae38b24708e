#include "trainer/measured_keys.h"

#include <gmock/gmock.h>

#include "launch/job/read_job.h"
#include "tests/trainer/job_folder.h"
#include "tests/usage_error.h"
#include "trainer/data/statistics.h"
#include "trainer/session.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kNoComponents = "colour_eigenvalues = []\ncolour_eigenvectors = []\n";

class MeasuredKeys : public testing::Test {
 protected:
  /// The tiny network on synthetic images of so many channels.
  JobInputs open(int channels, const std::string& data) const {
    std::string network = kTinyNetwork;
    const std::string of_one = "channels = 1";
    network.replace(network.find(of_one), of_one.size(), fmt::format("channels = {}", channels));
    return open_inputs(read_job(folder_.write_job(network, "samples = 200\n" + data), {}), Purposes::train);
  }

  const JobFolder folder_;
};

/// To the six digits that a job file holds.
void expect_close(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-5 * std::abs(expected[i]));
}

TEST_F(MeasuredKeys, LeftEmptyAreOfTheTrainingSet) {
  const JobInputs inputs = open(3, kNoComponents + "colour_shift = 0.1\n");
  const ChannelStatistics statistics = channel_statistics(*inputs.train, 200);
  const PrincipalColours colours = principal_colours(statistics);
  expect_close(inputs.job.data.mean, statistics.mean);
  expect_close(inputs.job.data.deviation, statistics.deviation);
  expect_close(inputs.job.data.colour_eigenvalues, value_list(colours));
  expect_close(inputs.job.data.colour_eigenvectors, vector_list(colours));
}

TEST_F(MeasuredKeys, ThatAreGivenAreKept) {
  const std::string own =
      "colour_eigenvalues = [0.3, 0.2, 0.1]\ncolour_eigenvectors = [0, 1, 0, 0, 0, 1, 1, 0, 0]\n";
  const Job job = open(3, own + "colour_shift = 0.1\nmean = [1, 2, 3]\n").job;
  EXPECT_EQ(job.data.mean, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(job.data.deviation.size(), 3U);
  EXPECT_EQ(job.data.colour_eigenvalues, (std::vector<double>{0.3, 0.2, 0.1}));
  EXPECT_EQ(job.data.colour_eigenvectors, (std::vector<double>{0, 1, 0, 0, 0, 1, 1, 0, 0}));
  // One number for all channels stays one.
  const Job scaled = open(3, kNoComponents + "colour_shift = 0.1\nmean = [1]\ndeviation = [2]\n").job;
  EXPECT_EQ(scaled.data.mean, std::vector<double>{1});
  EXPECT_EQ(scaled.data.deviation, std::vector<double>{2});
  EXPECT_EQ(scaled.data.colour_eigenvectors.size(), 9U);
  EXPECT_EQ(open(3, "mean = [1]\n").job.data.mean, std::vector<double>{1});
}

// Greys have no colours to shift: the key that asks for it is refused, and without it nothing is measured.
TEST_F(MeasuredKeys, OfGreysHaveNoComponents) {
  const Job grey = open(1, kNoComponents).job;
  EXPECT_EQ(grey.data.mean.size(), 1U);
  EXPECT_THAT(grey.data.colour_eigenvalues, IsEmpty());
  EXPECT_EQ(open(1, "").job.data.colour_eigenvalues, value_list(kImageNetColours));
  EXPECT_THAT(usage_error_of([&] { open(1, kNoComponents + "colour_shift = 0.1\n"); }),
              HasSubstr("data.colour_shift changes colours, but the images have 1 channel"));
}

}  // namespace
}  // namespace convoy::test
