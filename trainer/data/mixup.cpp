#include "trainer/data/mixup.h"

#include <algorithm>
#include <cmath>

#include "layers/core/simd.h"
#include "trainer/data/draws.h"

namespace convoy {
namespace {

constexpr std::uint32_t kGammaTries = 64;  // one in twenty fails

/// In (0, 1).
double open_uniform(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

/// The logarithm of a number of the distribution Gamma(alpha, 1), by Marsaglia and Tsang 2000, "A simple
/// method for generating gamma variables"; below 1 by their section 6. Of a small alpha the number itself
/// would be 0.
double log_gamma_number(double alpha, const RandomStream& stream, std::int64_t epoch, std::int64_t index,
                        std::uint32_t first_block) {
  const double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  double found = std::log(d);
  Random4 words{};
  for (std::uint32_t i = 0; i < kGammaTries; ++i) {
    words =
        stream.block(static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index), first_block + i);
    const auto x = static_cast<double>(normal(words.word[0], words.word[1]));
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(open_uniform(words.word[2])) >= x * x / 2 + d - d * v + d * std::log(v)) continue;
    found = std::log(d * v);
    break;
  }
  return alpha < 1 ? found + std::log(open_uniform(words.word[3])) / alpha : found;
}

CONVOY_SIMD void mix(std::int32_t share, std::size_t bytes, std::uint8_t* one, std::uint8_t* other) {
  const std::int32_t rest = 65536 - share;
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::int32_t a = one[i];
    const std::int32_t b = other[i];
    one[i] = static_cast<std::uint8_t>((a * share + b * rest + 32768) >> 16);
    other[i] = static_cast<std::uint8_t>((b * share + a * rest + 32768) >> 16);
  }
}

}  // namespace

std::int32_t draw_mixup(double alpha, const RandomStream& stream, std::int64_t epoch, std::int64_t index) {
  // l = G1 / (G1 + G2), of two gamma numbers.
  const double one = log_gamma_number(alpha, stream, epoch, index, draws::kMixup);
  const double two = log_gamma_number(alpha, stream, epoch, index, draws::kMixup + kGammaTries);
  const double larger = 1 / (1 + std::exp(-std::abs(one - two)));
  return static_cast<std::int32_t>(std::lround(65536 * larger));
}

void mix_pair(std::int32_t share, std::span<std::uint8_t> one, std::span<std::uint8_t> other) {
  mix(share, std::min(one.size(), other.size()), one.data(), other.data());
}

}  // namespace convoy
