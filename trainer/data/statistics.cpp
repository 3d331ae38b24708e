#include "trainer/data/statistics.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "layers/core/error.h"
#include "layers/core/simd.h"
#include "trainer/data/parallel.h"
#include "trainer/data/prepare.h"

namespace convoy {
namespace {

constexpr std::size_t kBlock = 1U << 16;  // pixels whose products add up to less than 2^32

/// Of at most kBlock values each.
CONVOY_SIMD std::uint32_t sum_of_products(const std::uint8_t* a, const std::uint8_t* b, std::size_t count) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += std::uint32_t{a[i]} * b[i];
  return sum;
}

/// Sums over pixels of the products of each two channels, where a first channel of ones stands before those
/// of the images: so the sums and the number of pixels are among them. Whole numbers: the order of adding
/// does not matter.
class Sums {
 public:
  explicit Sums(std::size_t channels) : sides_(channels + 1), products_(sides_ * sides_) {}

  /// `planes` is storage that is reused.
  void add(const std::vector<std::uint8_t>& pixels, std::vector<std::uint8_t>& planes) {
    const std::size_t channels = sides_ - 1;
    const std::size_t count = pixels.size() / channels;
    if (planes.empty()) planes.assign(sides_ * kBlock, 1);
    for (std::size_t first = 0; first < count; first += kBlock) {
      const std::size_t block = std::min(kBlock, count - first);
      for (std::size_t c = 0; c < channels; ++c) {
        const std::uint8_t* from = pixels.data() + first * channels + c;
        std::uint8_t* plane = planes.data() + (c + 1) * kBlock;
        for (std::size_t i = 0; i < block; ++i) plane[i] = from[i * channels];
      }
      for (std::size_t a = 0; a < sides_; ++a) {
        for (std::size_t b = a; b < sides_; ++b)
          at(a, b) += sum_of_products(planes.data() + a * kBlock, planes.data() + b * kBlock, block);
      }
    }
  }

  void add(const Sums& other) {
    for (std::size_t i = 0; i < products_.size(); ++i) products_[i] += other.products_[i];
  }

  ChannelStatistics statistics() {
    ChannelStatistics found;
    const auto count = static_cast<double>(at(0, 0));
    for (std::size_t a = 1; a < sides_; ++a) {
      found.mean.push_back(static_cast<double>(at(0, a)) / count);
      for (std::size_t b = 1; b < sides_; ++b) found.covariance.push_back(covariance(a, b));
      found.deviation.push_back(std::sqrt(covariance(a, a)));
    }
    return found;
  }

 private:
  std::uint64_t& at(std::size_t a, std::size_t b) {
    return products_[std::min(a, b) * sides_ + std::max(a, b)];
  }

  /// (n Σ xy - Σ x Σ y) / n², whose difference is exact: of nearly equal values nothing is lost.
  double covariance(std::size_t a, std::size_t b) {
    __extension__ typedef __int128 Wide;
    const Wide count = at(0, 0);
    const Wide difference = count * at(a, b) - static_cast<Wide>(at(0, a)) * at(0, b);
    return static_cast<double>(difference) / static_cast<double>(count) / static_cast<double>(count);
  }

  std::size_t sides_;
  std::vector<std::uint64_t> products_;
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
  const auto channels = static_cast<std::size_t>(dataset.shape().channels);
  Sums total(channels);
  std::mutex mutex;
  in_parallel((samples + kAtOnce - 1) / kAtOnce, threads, [&] {
    return [&, read = make_reader(), pixels = std::vector<std::uint8_t>(),
            planes = std::vector<std::uint8_t>()](std::int64_t piece) mutable {
      Sums sums(channels);
      for (std::int64_t i = piece * kAtOnce; i < std::min(samples, (piece + 1) * kAtOnce); ++i) {
        const auto index = static_cast<double>(i) * static_cast<double>(size) / static_cast<double>(samples);
        read(std::min(static_cast<std::int64_t>(index), size - 1), pixels);
        sums.add(pixels, planes);
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
