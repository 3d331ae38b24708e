#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "layers/core/error.h"
#include "layers/core/philox.h"
#include "trainer/data/class_names.h"
#include "trainer/data/formats.h"

namespace convoy {
namespace {

constexpr std::uint32_t kPatterns = 0;  // instances of Purpose::synthetic; samples of train and test follow
constexpr int kAmplitude = 64;

/// Appends to `waves` a slow cosine over `length` positions, of a random frequency and phase for each
/// channel; position after position, `channels` values each, in -kAmplitude .. kAmplitude.
void append_wave(const RandomStream& stream, std::uint64_t label, std::uint32_t block, std::int64_t length,
                 std::int64_t channels, std::vector<std::int16_t>& waves) {
  const std::size_t start = waves.size();
  waves.resize(start + static_cast<std::size_t>(length * channels));
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const Random4 words = stream.block(0, label, block + 2 * static_cast<std::uint32_t>(channel));
    const double cycles = 0.5 + 2.0 * static_cast<double>(uniform01(words.word[0]));
    const double phase = static_cast<double>(uniform01(words.word[1]));
    for (std::int64_t position = 0; position < length; ++position) {
      const double turn = cycles * static_cast<double>(position) / static_cast<double>(length) + phase;
      waves[start + static_cast<std::size_t>(position * channels + channel)] =
          static_cast<std::int16_t>(std::lround(kAmplitude * std::cos(6.283185307179586 * turn)));
    }
  }
}

class SyntheticDataset : public Dataset {
 public:
  SyntheticDataset(const DataSource& source, Split split)
      : shape_(source.shape),
        samples_(source.samples),
        names_(numbered_names(source.classes)),
        stream_(source.seed, Purpose::synthetic, split == Split::train ? 1 : 2) {
    const RandomStream patterns(source.seed, Purpose::synthetic, kPatterns);
    for (std::uint64_t label = 0; label < names_.size(); ++label) {
      append_wave(patterns, label, 0, shape_.height, 1, rows_);
      append_wave(patterns, label, 1, shape_.width, shape_.channels, columns_);
    }
  }

  std::int64_t size() const override { return samples_; }
  int classes() const override { return static_cast<int>(names_.size()); }
  const std::vector<std::string>& class_names() const override { return names_; }
  Shape shape() const override { return shape_; }

  std::int32_t read(std::int64_t index, Image& image) const override {
    if (index < 0 || index >= samples_) {
      fail(ExitCode::data, "sample {} was asked for, but the data set has samples 0 to {}", index,
           samples_ - 1);
    }
    image.channels = static_cast<int>(shape_.channels);
    image.height = static_cast<int>(shape_.height);
    image.width = static_cast<int>(shape_.width);
    image.pixels.resize(static_cast<std::size_t>(shape_.elements()));
    const auto sample = static_cast<std::uint64_t>(index);
    const std::uint32_t word = stream_.block(0, sample, 0).word[0];
    const std::uint32_t label = uniform_below(word, static_cast<std::uint32_t>(names_.size()));
    fill_noise(sample, image.pixels);
    add_pattern(label, image.pixels.data());
    return static_cast<std::int32_t>(label);
  }

 private:
  void fill_noise(std::uint64_t sample, std::vector<std::uint8_t>& pixels) const {
    std::uint32_t block = 0;
    for (std::size_t i = 0; i < pixels.size(); i += sizeof(Random4)) {
      const Random4 words = stream_.block(0, sample, ++block);
      std::memcpy(pixels.data() + i, words.word, std::min(sizeof(Random4), pixels.size() - i));
    }
  }

  /// Noise 0 .. 127 and pattern 0 .. 128 add up to 0 .. 255.
  void add_pattern(std::size_t label, std::uint8_t* pixels) const {
    const auto height = static_cast<std::size_t>(shape_.height);
    const auto row_bytes = static_cast<std::size_t>(shape_.width * shape_.channels);
    const std::int16_t* column = columns_.data() + label * row_bytes;
    for (std::size_t y = 0; y < height; ++y, pixels += row_bytes) {
      const int row = rows_[label * height + y];
      for (std::size_t i = 0; i < row_bytes; ++i) {
        pixels[i] = static_cast<std::uint8_t>((pixels[i] >> 1) + kAmplitude + row * column[i] / kAmplitude);
      }
    }
  }

  Shape shape_;
  std::int64_t samples_;
  std::vector<std::string> names_;
  RandomStream stream_;
  std::vector<std::int16_t> rows_;     ///< classes × height
  std::vector<std::int16_t> columns_;  ///< classes × width × channels
};

}  // namespace

std::shared_ptr<const Dataset> make_synthetic(const DataSource& source, Split split) {
  const Shape& shape = source.shape;
  constexpr std::int64_t kLongest = 65535;
  for (const std::int64_t side : {shape.channels, shape.height, shape.width}) {
    if (side < 1 || side > kLongest) {
      fail(ExitCode::usage,
           "synthetic data: shape {} x {} x {} (channels, height, width), expected 1 to {} each",
           shape.channels, shape.height, shape.width, kLongest);
    }
  }
  if (source.samples < 1 || source.samples >= (std::int64_t{1} << 40)) {
    fail(ExitCode::usage, "synthetic data: {} samples, expected 1 to 2^40 - 1; set data.samples",
         source.samples);
  }
  return std::make_shared<SyntheticDataset>(source, split);
}

}  // namespace convoy
