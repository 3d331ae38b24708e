#include "tests/bench/bench_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "layers/core/philox.h"
#include "tests/trainer/data/jpeg_files.h"

namespace convoy {
namespace {

constexpr int kHeight = 375;
constexpr int kWidth = 500;

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

}  // namespace

std::vector<std::vector<std::uint8_t>> bench_photographs(int count, const std::string& folder) {
  std::vector<std::vector<std::uint8_t>> files;
  if (!folder.empty()) std::filesystem::create_directories(folder);
  for (int i = 0; i < count; ++i) {
    const std::string path = fmt::format("{}/{:03}.jpg", folder, i);
    if (!folder.empty() && std::filesystem::exists(path)) {
      std::ifstream in(path, std::ios::binary);
      files.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
      continue;
    }
    files.push_back(of_usual_size(photograph(static_cast<std::uint64_t>(i))));
    if (folder.empty()) continue;
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(files.back().data()),
              static_cast<std::streamsize>(files.back().size()));
  }
  return files;
}

}  // namespace convoy
