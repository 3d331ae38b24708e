#include "trainer/data/statistics.h"

#include <algorithm>
#include <cmath>

#include "layers/core/error.h"
#include "trainer/data/prepare.h"

namespace convoy {
namespace {

/// Sums over the pixels of samples that `read(index, pixels)` gives, spread evenly over the set.
template <class Read>
ChannelStatistics measure(const Dataset& dataset, std::int64_t most_samples, const Read& read) {
  const std::int64_t size = dataset.size();
  const std::int64_t samples = std::min(size, std::max<std::int64_t>(most_samples, 1));
  if (samples < 1) fail(ExitCode::data, "mean and deviation of a data set without samples: check data.root");
  const auto channels = static_cast<std::size_t>(dataset.shape().channels);
  std::vector<std::uint64_t> sums(channels);  // whole numbers: the order of adding does not matter
  std::vector<std::uint64_t> squares(channels);
  std::uint64_t count = 0;
  std::vector<std::uint8_t> pixels;
  for (std::int64_t i = 0; i < samples; ++i) {
    const auto index = static_cast<double>(i) * static_cast<double>(size) / static_cast<double>(samples);
    read(std::min(static_cast<std::int64_t>(index), size - 1), pixels);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      std::uint64_t sum = 0;
      std::uint64_t square = 0;
      for (std::size_t j = channel; j < pixels.size(); j += channels) {
        const std::uint32_t value = pixels[j];
        sum += value;
        square += value * value;
      }
      sums[channel] += sum;
      squares[channel] += square;
    }
    count += pixels.size() / channels;
  }
  ChannelStatistics statistics;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double mean = static_cast<double>(sums[channel]) / static_cast<double>(count);
    const double square = static_cast<double>(squares[channel]) / static_cast<double>(count);
    statistics.mean.push_back(mean);
    statistics.deviation.push_back(std::sqrt(std::max(square - mean * mean, 0.0)));
  }
  return statistics;
}

}  // namespace

ChannelStatistics channel_statistics(const Dataset& dataset, std::int64_t most_samples) {
  Image image;
  return measure(dataset, most_samples, [&](std::int64_t index, std::vector<std::uint8_t>& pixels) {
    image.pixels.swap(pixels);
    dataset.read(index, image);
    image.pixels.swap(pixels);
  });
}

ChannelStatistics channel_statistics(const Dataset& dataset, std::int64_t most_samples,
                                     const Augmentation& preparation, Shape output) {
  PrepareScratch scratch;
  const RandomStream stream(0, Purpose::augment, 0);
  return measure(dataset, most_samples, [&](std::int64_t index, std::vector<std::uint8_t>& pixels) {
    pixels.resize(static_cast<std::size_t>(output.elements()));
    prepare_sample(dataset, preparation, stream, 0, index, scratch, pixels.data(), output);
  });
}

}  // namespace convoy
