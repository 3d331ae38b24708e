#include "trainer/data/resample.h"

#include <algorithm>
#include <cstring>

#include "layers/core/simd.h"

namespace convoy {
namespace {

/// Four channels at once; the fourth of three is the next pixel's first and is written over.
using Four = float __attribute__((vector_size(16)));
constexpr std::size_t kSpare = 4;  // floats after a line, which a pixel's four may reach into

CONVOY_SIMD void to_floats(const std::uint8_t* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]);
}

/// Sums in 1/65536 to bytes, halves upwards.
CONVOY_SIMD void to_bytes(const float* sums, std::size_t count, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = static_cast<std::uint8_t>(static_cast<int>((sums[i] + 32768.F) * 0x1p-16F));
  }
}

/// One row of three channels.
CONVOY_SIMD void resize_rgb_row(const float* in, const Taps& taps, std::size_t width, float* out) {
  const auto count = static_cast<std::size_t>(taps.count);
  const float* weights = taps.weights.data();
  for (std::size_t x = 0; x < width; ++x, weights += count, out += 3) {
    const float* pixel = in + 3 * static_cast<std::size_t>(taps.first[x]);
    Four sum{};
    for (std::size_t i = 0; i < count; ++i, pixel += 3) {
      Four value;
      std::memcpy(&value, pixel, sizeof(value));
      sum += value * weights[i];
    }
    std::memcpy(out, &sum, sizeof(sum));
  }
}

void resize_row(const float* in, const Taps& taps, std::size_t width, std::size_t channels, float* out) {
  if (channels == 3) return resize_rgb_row(in, taps, width, out);
  const auto count = static_cast<std::size_t>(taps.count);
  for (std::size_t x = 0; x < width; ++x) {
    const float* weights = taps.weights.data() + x * count;
    const float* pixel = in + channels * static_cast<std::size_t>(taps.first[x]);
    for (std::size_t c = 0; c < channels; ++c) {
      float sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += weights[i] * pixel[i * channels + c];
      *out++ = sum;
    }
  }
}

/// sums = sum of weights[i] × row i of `in`.
CONVOY_SIMD void add_rows(const std::uint8_t* in, std::size_t row_bytes, const float* weights,
                          std::size_t count, float* sums) {
  std::fill_n(sums, row_bytes, 0.F);
  for (std::size_t i = 0; i < count; ++i, in += row_bytes) {
    const float weight = weights[i];
    if (weight == 0) continue;
    for (std::size_t j = 0; j < row_bytes; ++j) sums[j] += weight * static_cast<float>(in[j]);
  }
}

/// Output pixels in the other order.
void mirror(Taps& taps) {
  std::reverse(taps.first.begin(), taps.first.end());
  const auto count = static_cast<std::size_t>(taps.count);
  float* left = taps.weights.data();
  float* right = left + taps.weights.size() - count;
  for (; left < right; left += count, right -= count) std::swap_ranges(left, left + count, right);
}

}  // namespace

void resample(const View& view, Filter filter, bool mirrored, int height, int width, ResampleScratch& scratch,
              std::uint8_t* out) {
  const Image& image = view.image;
  const Rect& pixels = view.pixels;
  find_taps(filter, view.box.left, view.box.width, pixels.left, pixels.left + pixels.width, width,
            scratch.columns);
  find_taps(filter, view.box.top, view.box.height, pixels.top, pixels.top + pixels.height, height,
            scratch.rows);
  if (mirrored) mirror(scratch.columns);

  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t in_bytes = static_cast<std::size_t>(image.width) * channels;
  const std::size_t out_bytes = static_cast<std::size_t>(width) * channels;
  const auto [least, most] = std::minmax_element(scratch.rows.first.begin(), scratch.rows.first.end());
  const auto first = static_cast<std::size_t>(*least);  // input rows that any output row needs
  const auto end = static_cast<std::size_t>(*most + scratch.rows.count);
  scratch.line.resize(in_bytes + kSpare);
  scratch.sums.resize(out_bytes + kSpare);
  scratch.between.resize((end - first) * out_bytes);
  for (std::size_t y = first; y < end; ++y) {
    to_floats(image.pixels.data() + y * in_bytes, in_bytes, scratch.line.data());
    resize_row(scratch.line.data(), scratch.columns, static_cast<std::size_t>(width), channels,
               scratch.sums.data());
    to_bytes(scratch.sums.data(), out_bytes, scratch.between.data() + (y - first) * out_bytes);
  }
  const auto count = static_cast<std::size_t>(scratch.rows.count);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y, out += out_bytes) {
    const auto start = static_cast<std::size_t>(scratch.rows.first[y]) - first;
    add_rows(scratch.between.data() + start * out_bytes, out_bytes, scratch.rows.weights.data() + y * count,
             count, scratch.sums.data());
    to_bytes(scratch.sums.data(), out_bytes, out);
  }
}

}  // namespace convoy
