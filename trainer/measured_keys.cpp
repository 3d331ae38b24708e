#include "trainer/measured_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "trainer/data/statistics.h"
#include "trainer/preparation.h"

namespace convoy {
namespace {

constexpr std::int64_t kStatisticsSamples = 10000;
constexpr std::int64_t kStatisticsFiles = 1000;  // of images that are decoded for it

ChannelStatistics measured(const Job& job, Shape input, const Dataset& train) {
  const bool varies = train.shape().height == 0;
  if (!varies) return channel_statistics(train, kStatisticsSamples);
  Augmentation central = evaluation_augmentation(job, input);
  central.ten_crops = false;
  return channel_statistics(train, kStatisticsFiles, central, input);
}

/// The text of a double as the job file holds it, so that a run and its resume use the same number.
double rounded(double value) { return std::stod(fmt::format("{:.6g}", value)); }

std::vector<double> rounded(std::vector<double> values) {
  std::ranges::transform(values, values.begin(), [](double value) { return rounded(value); });
  return values;
}

}  // namespace

bool leaves_scale(const Job& job) { return job.data.mean.empty() || job.data.deviation.empty(); }

bool leaves_colours(const Job& job) {
  return job.data.colour_shift > 0 && job.data.colour_eigenvalues.empty();
}

void fill_measured(Job& job, Shape input, const Dataset& train) {
  const ChannelStatistics statistics = measured(job, input, train);
  if (job.data.mean.empty()) job.data.mean = rounded(statistics.mean);
  if (job.data.deviation.empty()) {
    job.data.deviation = rounded(statistics.deviation);
    for (double& deviation : job.data.deviation) deviation = std::max(deviation, 1.0);
  }
  if (!leaves_colours(job)) return;
  const PrincipalColours colours = principal_colours(statistics);
  job.data.colour_eigenvalues = rounded(value_list(colours));
  job.data.colour_eigenvectors = rounded(vector_list(colours));
}

}  // namespace convoy
