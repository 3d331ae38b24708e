#include "trainer/data/colour.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "layers/core/simd.h"
#include "trainer/data/draws.h"

namespace convoy {
namespace {

using Table = std::array<std::uint8_t, 256>;

/// Pillow's Image.blend: from + factor × (to - from), cut off.
constexpr std::uint8_t blend(int from, int to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<std::uint8_t>(static_cast<int>(std::clamp(value, 0.F, 255.F)));
}

CONVOY_SIMD void blend_all(int level, float factor, std::uint8_t* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] = blend(level, values[i], factor);
}

/// Pillow's conversion to grey.
constexpr int grey_of(int red, int green, int blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/// Of at most 65,536 pixels.
CONVOY_SIMD std::uint32_t sum_of_greys(const std::uint8_t* rgb, std::size_t pixels) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* p = rgb + 3 * i;
    sum += static_cast<std::uint32_t>(grey_of(p[0], p[1], p[2]));
  }
  return sum;
}

CONVOY_SIMD void saturate(std::uint8_t* rgb, std::size_t pixels, float factor) {
  for (std::size_t i = 0; i < pixels; ++i) {
    std::uint8_t* p = rgb + 3 * i;
    const int grey = grey_of(p[0], p[1], p[2]);
    for (int c = 0; c < 3; ++c) p[c] = blend(grey, p[c], factor);
  }
}

/// Of a hue of `sixths` (0 to 6, red at 0, green at 2, blue at 4) the value of a channel, red with `place` 5,
/// green 3, blue 1: it stays at the top for two sixths, and takes one each to fall and to rise.
inline float channel_of(float top, float chroma, float sixths, float place) {
  float k = place + sixths;  // of -6 to 16; its remainder by 6, in steps that vector code has
  k = k < 0 ? k + 6 : k;
  k = k >= 12 ? k - 12 : k;
  k = k >= 6 ? k - 6 : k;
  const float slope = std::min(k, 4 - k);
  return top - chroma * std::max(0.F, std::min(slope, 1.F));
}

CONVOY_SIMD void turn_hue(std::uint8_t* rgb, std::size_t pixels, float turn) {
  const float turned = 6 * turn;
  for (std::size_t i = 0; i < pixels; ++i) {
    std::uint8_t* p = rgb + 3 * i;
    const float red = p[0];
    const float green = p[1];
    const float blue = p[2];
    const float top = std::max(red, std::max(green, blue));
    const float chroma = top - std::min(red, std::min(green, blue));
    const float inverse = 1 / std::max(chroma, 1.F);
    const float sixths = turned + (top == red     ? (green - blue) * inverse
                                   : top == green ? (blue - red) * inverse + 2
                                                  : (red - green) * inverse + 4);
    p[0] = static_cast<std::uint8_t>(static_cast<int>(channel_of(top, chroma, sixths, 5) + 0.5F));
    p[1] = static_cast<std::uint8_t>(static_cast<int>(channel_of(top, chroma, sixths, 3) + 0.5F));
    p[2] = static_cast<std::uint8_t>(static_cast<int>(channel_of(top, chroma, sixths, 1) + 0.5F));
  }
}

float factor_of(double bound, std::uint32_t word) {
  return static_cast<float>(uniform_between(std::max(0.0, 1 - bound), 1 + bound, word));
}

/// One of the 24 orders.
std::array<ColourChange, 4> order_of(std::uint32_t word) {
  std::array<ColourChange, 4> order{ColourChange::brightness, ColourChange::contrast,
                                    ColourChange::saturation, ColourChange::hue};
  std::uint32_t number = uniform_below(word, 24);
  for (std::uint32_t left = 4; left > 1; --left) {
    std::swap(order[left - 1], order[number % left]);
    number /= left;
  }
  return order;
}

}  // namespace

void change_brightness(std::span<std::uint8_t> pixels, float factor) {
  blend_all(0, factor, pixels.data(), pixels.size());
}

void change_contrast(std::span<std::uint8_t> pixels, int channels, float factor) {
  if (pixels.empty()) return;
  std::uint64_t sum = 0;
  std::size_t count = pixels.size();
  if (channels == 3) {
    count /= 3;
    constexpr std::size_t kAtOnce = 1U << 16;
    for (std::size_t i = 0; i < count; i += kAtOnce)
      sum += sum_of_greys(pixels.data() + 3 * i, std::min(kAtOnce, count - i));
  } else {
    for (const std::uint8_t value : pixels) sum += value;
  }
  const double mean = static_cast<double>(sum) / static_cast<double>(count);
  blend_all(static_cast<int>(mean + 0.5), factor, pixels.data(), pixels.size());
}

void change_saturation(std::span<std::uint8_t> rgb, float factor) {
  saturate(rgb.data(), rgb.size() / 3, factor);
}

void change_hue(std::span<std::uint8_t> rgb, float turn) { turn_hue(rgb.data(), rgb.size() / 3, turn); }

Jittering draw_jitter(const ColourJitter& jitter, const RandomStream& stream, std::int64_t epoch,
                      std::int64_t index) {
  const auto step = static_cast<std::uint64_t>(epoch);
  const auto sample = static_cast<std::uint64_t>(index);
  const Random4 words = stream.block(step, sample, draws::kJitter);
  Jittering drawn;
  drawn.order = order_of(stream.block(step, sample, draws::kJitterOrder).word[0]);
  if (jitter.brightness > 0) drawn.amount[0] = factor_of(jitter.brightness, words.word[0]);
  if (jitter.contrast > 0) drawn.amount[1] = factor_of(jitter.contrast, words.word[1]);
  if (jitter.saturation > 0) drawn.amount[2] = factor_of(jitter.saturation, words.word[2]);
  if (jitter.hue > 0)
    drawn.amount[3] = static_cast<float>(uniform_between(-jitter.hue, jitter.hue, words.word[3]));
  return drawn;
}

void jitter_colours(const Jittering& drawn, int channels, std::span<std::uint8_t> pixels) {
  for (const ColourChange change : drawn.order) {
    const float amount = drawn.amount[static_cast<std::size_t>(change)];
    switch (change) {
      case ColourChange::brightness:
        if (amount != 1) change_brightness(pixels, amount);
        break;
      case ColourChange::contrast:
        if (amount != 1) change_contrast(pixels, channels, amount);
        break;
      case ColourChange::saturation:
        if (amount != 1) change_saturation(pixels, amount);
        break;
      case ColourChange::hue:
        if (amount != 0) change_hue(pixels, amount);
        break;
    }
  }
}

std::array<int, 3> draw_shift(const ColourShift& shift, const RandomStream& stream, std::int64_t epoch,
                              std::int64_t index) {
  const auto step = static_cast<std::uint64_t>(epoch);
  const auto sample = static_cast<std::uint64_t>(index);
  const Random4 first = stream.block(step, sample, draws::kShift);
  const Random4 second = stream.block(step, sample, draws::kShift + 1);
  const std::array<float, 3> normals{normal(first.word[0], first.word[1]),
                                     normal(first.word[2], first.word[3]),
                                     normal(second.word[0], second.word[1])};
  std::array<int, 3> added{};
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i)
      sum += shift.colours.vectors[i][c] * shift.colours.values[i] * shift.sigma *
             static_cast<double>(normals[i]);
    added[c] = static_cast<int>(std::clamp(std::round(255 * sum), -255.0, 255.0));
  }
  return added;
}

void shift_colours(const std::array<int, 3>& shift, std::span<std::uint8_t> rgb) {
  std::array<Table, 3> tables;
  for (std::size_t c = 0; c < 3; ++c) {
    for (int value = 0; value < 256; ++value)
      tables[c][static_cast<std::size_t>(value)] =
          static_cast<std::uint8_t>(std::clamp(value + shift[c], 0, 255));
  }
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) rgb[i + c] = tables[c][rgb[i + c]];
  }
}

}  // namespace convoy
