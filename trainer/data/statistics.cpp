#include "trainer/data/statistics.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "layers/core/error.h"
#include "trainer/data/parallel.h"
#include "trainer/data/prepare.h"

namespace convoy {
namespace {

/// Sums over pixels, one for each channel. Whole numbers: the order of adding does not matter.
struct Sums {
  explicit Sums(std::size_t channels) : values(channels), squares(channels) {}

  void add(const std::vector<std::uint8_t>& pixels) {
    const std::size_t channels = values.size();
    for (std::size_t channel = 0; channel < channels; ++channel) {
      std::uint64_t sum = 0;
      std::uint64_t square = 0;
      for (std::size_t j = channel; j < pixels.size(); j += channels) {
        const std::uint32_t value = pixels[j];
        sum += value;
        square += value * value;
      }
      values[channel] += sum;
      squares[channel] += square;
    }
    count += pixels.size() / channels;
  }

  void add(const Sums& other) {
    for (std::size_t channel = 0; channel < values.size(); ++channel) {
      values[channel] += other.values[channel];
      squares[channel] += other.squares[channel];
    }
    count += other.count;
  }

  ChannelStatistics statistics() const {
    ChannelStatistics found;
    for (std::size_t channel = 0; channel < values.size(); ++channel) {
      const double mean = static_cast<double>(values[channel]) / static_cast<double>(count);
      const double square = static_cast<double>(squares[channel]) / static_cast<double>(count);
      found.mean.push_back(mean);
      found.deviation.push_back(std::sqrt(std::max(square - mean * mean, 0.0)));
    }
    return found;
  }

  std::vector<std::uint64_t> values;
  std::vector<std::uint64_t> squares;
  std::uint64_t count = 0;
};

/// Over the pixels of samples spread evenly over the set. `make_reader` gives each thread a function that
/// reads sample `index` into `pixels`.
template <class MakeReader>
ChannelStatistics measure(const Dataset& dataset, std::int64_t most_samples, int threads,
                          std::atomic<std::int64_t>* seen, const MakeReader& make_reader) {
  constexpr std::int64_t kAtOnce = 16;
  const std::int64_t size = dataset.size();
  const std::int64_t samples = std::min(size, std::max<std::int64_t>(most_samples, 1));
  if (samples < 1) fail(ExitCode::data, "mean and deviation of a data set without samples: check data.root");
  Sums total(static_cast<std::size_t>(dataset.shape().channels));
  std::mutex mutex;
  in_parallel((samples + kAtOnce - 1) / kAtOnce, threads, [&] {
    return [&, read = make_reader(), pixels = std::vector<std::uint8_t>()](std::int64_t piece) mutable {
      Sums sums(total.values.size());
      for (std::int64_t i = piece * kAtOnce; i < std::min(samples, (piece + 1) * kAtOnce); ++i) {
        const auto index = static_cast<double>(i) * static_cast<double>(size) / static_cast<double>(samples);
        read(std::min(static_cast<std::int64_t>(index), size - 1), pixels);
        sums.add(pixels);
        if (seen != nullptr) ++*seen;
      }
      const std::lock_guard lock(mutex);
      total.add(sums);
    };
  });
  return total.statistics();
}

}  // namespace

ChannelStatistics channel_statistics(const Dataset& dataset, std::int64_t most_samples, int threads,
                                     std::atomic<std::int64_t>* seen) {
  return measure(dataset, most_samples, threads, seen, [&] {
    return [&dataset, image = Image()](std::int64_t index, std::vector<std::uint8_t>& pixels) mutable {
      image.pixels.swap(pixels);
      dataset.read(index, image);
      image.pixels.swap(pixels);
    };
  });
}

ChannelStatistics channel_statistics(const Dataset& dataset, std::int64_t most_samples,
                                     const Augmentation& preparation, Shape output, int threads,
                                     std::atomic<std::int64_t>* seen) {
  return measure(dataset, most_samples, threads, seen, [&] {
    return [&, scratch = PrepareScratch()](std::int64_t index, std::vector<std::uint8_t>& pixels) mutable {
      const RandomStream stream(0, Purpose::augment, 0);
      pixels.resize(static_cast<std::size_t>(output.elements() * preparation.views()));
      prepare_sample(dataset, preparation, stream, 0, index, scratch, pixels.data(), output);
    };
  });
}

}  // namespace convoy
