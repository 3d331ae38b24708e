#include "trainer/data/resample.h"

#include <algorithm>
#include <cstring>

#include "layers/core/simd.h"
#include "trainer/data/resample_rows.h"

namespace convoy {
namespace {

CONVOY_SIMD void to_floats(const std::uint8_t* in, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]);
}

/// A sum in 1/65536 to a byte, halves upwards.
[[gnu::always_inline]] inline std::uint8_t to_byte(float sum) {
  return static_cast<std::uint8_t>(static_cast<int>((sum + 32768.F) * 0x1p-16F));
}

CONVOY_SIMD void to_bytes(const float* sums, std::size_t count, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = to_byte(sums[i]);
}

/// The first pass over images of three channels: rows [first, end), one after another at `out`.
void resize_rgb_rows(const Image& image, std::size_t first, std::size_t end, std::size_t width,
                     ResampleScratch& scratch, std::uint8_t* out) {
  // Only the columns that weights ask for; they ask for them in rising order, or mirrored in falling order.
  const Taps& taps = scratch.columns;
  const auto [left, last] = std::minmax(taps.first.front(), taps.first.back());
  RowsTask task{};
  task.columns = static_cast<std::size_t>(last + taps.count - left);
  task.width = width;
  task.first = taps.first.data();
  task.left = left;
  task.count = static_cast<std::size_t>(taps.count);
  task.weights = taps.weights.data();
  scratch.line.resize(kColumn * task.columns);
  scratch.spare.resize(3 * width);
  task.line = scratch.line.data();
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(image.width);
  for (std::size_t y = first; y < end; y += kTogether) {
    // Where no four are left, the last is made again, to be thrown away.
    for (std::size_t r = 0; r < kTogether; ++r) {
      task.in[r] =
          image.pixels.data() + std::min(y + r, end - 1) * row_bytes + 3 * static_cast<std::size_t>(left);
      task.out[r] = y + r < end ? out + (y + r - first) * 3 * width : scratch.spare.data();
    }
    resample_loops().resize_rows(task);
  }
}

/// The same of any channels.
void resize_rows(const Image& image, std::size_t first, std::size_t end, std::size_t width,
                 ResampleScratch& scratch, std::uint8_t* out) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t row_bytes = channels * static_cast<std::size_t>(image.width);
  const auto count = static_cast<std::size_t>(scratch.columns.count);
  scratch.line.resize(row_bytes);
  scratch.sums.resize(width * channels);
  for (std::size_t y = first; y < end; ++y, out += width * channels) {
    to_floats(image.pixels.data() + y * row_bytes, row_bytes, scratch.line.data());
    for (std::size_t x = 0; x < width; ++x) {
      const float* weights = scratch.columns.weights.data() + x * count;
      const float* pixel =
          scratch.line.data() + channels * static_cast<std::size_t>(scratch.columns.first[x]);
      for (std::size_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += weights[i] * pixel[i * channels + c];
        scratch.sums[x * channels + c] = sum;
      }
    }
    to_bytes(scratch.sums.data(), width * channels, out);
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
  const std::size_t out_bytes = static_cast<std::size_t>(width) * channels;
  const auto [least, most] = std::minmax_element(scratch.rows.first.begin(), scratch.rows.first.end());
  const auto first = static_cast<std::size_t>(*least);  // input rows that any output row needs
  const auto end = static_cast<std::size_t>(*most + scratch.rows.count);
  scratch.between.resize((end - first) * out_bytes);
  if (channels == 3) {
    resize_rgb_rows(image, first, end, static_cast<std::size_t>(width), scratch, scratch.between.data());
  } else {
    resize_rows(image, first, end, static_cast<std::size_t>(width), scratch, scratch.between.data());
  }
  const auto count = static_cast<std::size_t>(scratch.rows.count);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y, out += out_bytes) {
    const auto start = static_cast<std::size_t>(scratch.rows.first[y]) - first;
    resample_loops().mix_rows(scratch.between.data() + start * out_bytes, out_bytes,
                              scratch.rows.weights.data() + y * count, count, out);
  }
}

}  // namespace convoy
