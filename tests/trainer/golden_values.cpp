#include "tests/trainer/golden_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "tests/golden/hashed_values.h"
#include "trainer/storage/safetensors.h"

namespace convoy::test {
namespace {

const SafetensorsFile& golden() {
  static const SafetensorsFile file =
      SafetensorsFile::open(CONVOY_SOURCE "/tests/golden/training.safetensors");
  return file;
}

}  // namespace

std::vector<float> golden_values(const std::string& name) {
  const TensorView* tensor = golden().find(name);
  if (tensor == nullptr) return {};
  std::vector<float> values(tensor->data.size() / sizeof(float));
  std::memcpy(values.data(), tensor->data.data(), tensor->data.size());
  return values;
}

std::string golden_network(const std::string& name) { return golden().metadata().at(name + ".network"); }

double distance(const std::vector<double>& a, const std::vector<float>& b) {
  if (a.size() != b.size() || b.empty()) return INFINITY;
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(a[i] - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  const double ratio = std::sqrt(difference / norm);
  return std::isnan(ratio) ? INFINITY : ratio;
}

double digest_distance(const std::vector<double>& values, const std::vector<float>& digest) {
  constexpr std::size_t kHead = 5;
  if (digest.size() != kHead + std::min<std::size_t>(values.size(), 256)) return INFINITY;
  std::array<double, kHead> head{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    head[0] += values[i] * values[i];
    for (std::uint32_t k = 1; k < kHead; ++k) {
      head[k] += values[i] * static_cast<double>(hashed_value(999 + k, static_cast<std::uint32_t>(i)));
    }
  }
  head[0] = std::sqrt(head[0]);
  std::vector<double> samples;
  for (std::uint32_t j = 0; j < digest.size() - kHead; ++j) {
    samples.push_back(values[values.size() <= 256 ? j : mix_bits(j) % values.size()]);
  }
  double worst = distance(samples, {digest.begin() + kHead, digest.end()});
  for (std::size_t k = 0; k < kHead; ++k) {
    const double off = std::abs(head[k] - static_cast<double>(digest[k])) / static_cast<double>(digest[0]);
    worst = std::isnan(off) ? INFINITY : std::max(worst, off);
  }
  return worst;
}

}  // namespace convoy::test
