// Speed of decoding and preparing images on one core:
//   tests/bench/decode_bench [ROUNDS]        (from the build folder; ROUNDS: 9)
// Photograph-like JPEGs of 500 x 375 pixels and about 110 KB, as ImageNet's are on average, are made first.
// Each way to take them is run once a round, one after the other, and the medians over the rounds are
// printed.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "layers/core/clock.h"
#include "layers/core/philox.h"
#include "tests/trainer/data/jpeg_files.h"
#include "trainer/data/prepare.h"

namespace {

using namespace convoy;

constexpr int kHeight = 375;
constexpr int kWidth = 500;
constexpr int kImages = 64;
constexpr Shape kOutput{3, 224, 224};

/// Sums of waves, each octave of half the amplitude, and a little noise: the spectrum of photographs.
Image photograph(std::uint64_t number) {
  const RandomStream stream(number, Purpose::synthetic, 9);
  Image image{3, kHeight, kWidth, {}};
  image.pixels.resize(static_cast<std::size_t>(3) * kHeight * kWidth);
  constexpr std::uint32_t kWaves = 40;
  std::vector<float> field(image.pixels.size(), 0);
  for (std::uint32_t wave = 0; wave < kWaves; ++wave) {
    const Random4 w = stream.block(0, 1, wave);
    const double cycles = 0.01 * std::pow(1.12, wave);
    const double angle = 6.2832 * uniform01(w.word[0]);
    const double phase = 6.2832 * uniform01(w.word[1]);
    const double fx = cycles * std::cos(angle);
    const double fy = cycles * std::sin(angle);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const auto value = static_cast<float>(std::sin(fx * x + fy * y + phase) * 0.5 / (0.3 + cycles));
        for (int c = 0; c < 3; ++c) {
          field[static_cast<std::size_t>((y * kWidth + x) * 3 + c)] +=
              value * (0.6F + 0.4F * uniform01(w.word[(static_cast<unsigned>(c) + 1) % 4]));
        }
      }
    }
  }
  for (std::size_t i = 0; i < field.size(); ++i) {
    const float noise = 30 * (uniform01(stream.word(0, 2, i / 3)) - 0.5F);
    image.pixels[i] = static_cast<std::uint8_t>(std::clamp(128 + 8 * field[i] + noise, 0.F, 255.F));
  }
  return image;
}

/// The quality that comes nearest to 110 KB.
std::vector<std::uint8_t> of_usual_size(const Image& image) {
  constexpr std::size_t kBytes = 110000;
  std::vector<std::uint8_t> best;
  for (int quality = 50; quality < 100; ++quality) {
    std::vector<std::uint8_t> file = jpeg_of(image, {2, 2, quality});
    const bool enough = file.size() > kBytes;
    best = std::move(file);
    if (enough) break;
  }
  return best;
}

/// The files as a data set, decoded whole (`crops` false) or the crop alone.
class Files : public Dataset {
 public:
  Files(const std::vector<std::vector<std::uint8_t>>& files, bool crops) : files_(files), crops_(crops) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  int classes() const override { return 1; }
  const std::vector<std::string>& class_names() const override { return names_; }
  Shape shape() const override { return {3, 0, 0}; }
  std::int32_t read(std::int64_t index, Image& image) const override {
    View view;
    view.image = std::move(image);
    ReadScratch scratch;
    decode_image({files_[static_cast<std::size_t>(index)], names_[0]}, {}, whole_image, scratch.decode, view);
    image = std::move(view.image);
    return 0;
  }
  std::int32_t read_crop(std::int64_t index, const ChooseCrop& choose, ReadScratch& scratch,
                         View& view) const override {
    if (!crops_) return Dataset::read_crop(index, choose, scratch, view);
    decode_image({files_[static_cast<std::size_t>(index)], names_[0]}, {}, choose, scratch.decode, view);
    return 0;
  }

 private:
  const std::vector<std::vector<std::uint8_t>>& files_;
  bool crops_;
  std::vector<std::string> names_{"image"};
};

struct Way {
  const char* name;
  std::function<void(std::int64_t)> take;  ///< image number
  std::vector<double> rates{};
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(std::atoi(argv[1]), 1) : 9;
  std::vector<std::vector<std::uint8_t>> files;
  std::size_t bytes = 0;
  for (int i = 0; i < kImages; ++i) {
    files.push_back(of_usual_size(photograph(static_cast<std::uint64_t>(i))));
    bytes += files.back().size();
  }
  fmt::print("{} JPEG files of {} x {} pixels, {:.0f} KB each\n", kImages, kWidth, kHeight,
             static_cast<double>(bytes) / kImages / 1000);
  const Files whole(files, false);
  const Files crops(files, true);
  const RandomStream stream(1, Purpose::augment, 0);
  Augmentation training;
  training.crop = CropKind::random_resized;
  training.flip = true;
  Augmentation evaluation;
  evaluation.crop = CropKind::centre;
  evaluation.shorter_side = 256;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(kOutput.elements()));
  Image image;
  PrepareScratch scratch;
  std::int64_t round = 0;
  std::vector<Way> ways;
  ways.push_back({"libjpeg-turbo, plainly",
                  [&](std::int64_t i) { decode_plainly(files[static_cast<std::size_t>(i)], image); }});
  ways.push_back({"decode", [&](std::int64_t i) { whole.read(i, image); }});
  ways.push_back({"decode whole, random resized crop, flip", [&](std::int64_t i) {
                    prepare_sample(whole, training, stream, round, i, scratch, out.data(), kOutput);
                  }});
  ways.push_back({"decode crop, random resized crop, flip", [&](std::int64_t i) {
                    prepare_sample(crops, training, stream, round, i, scratch, out.data(), kOutput);
                  }});
  ways.push_back({"decode crop, resize 256, centre 224", [&](std::int64_t i) {
                    prepare_sample(crops, evaluation, stream, round, i, scratch, out.data(), kOutput);
                  }});
  for (round = 0; round < rounds; ++round) {
    for (Way& way : ways) {
      const auto start = Clock::now();
      for (std::int64_t i = 0; i < kImages; ++i) way.take(i);
      way.rates.push_back(kImages / seconds_since(start));
    }
  }
  fmt::print("images a second on one core, median of {} rounds\n", rounds);
  for (Way& way : ways) {
    std::ranges::sort(way.rates);
    fmt::print("  {:<42}{:8.0f}  ({:.0f} to {:.0f})\n", way.name, way.rates[way.rates.size() / 2],
               way.rates.front(), way.rates.back());
  }
  return 0;
}
