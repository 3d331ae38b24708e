#include "trainer/data/erase.h"

#include <algorithm>
#include <cmath>

#include "trainer/data/draws.h"

namespace convoy {
namespace {

constexpr std::uint32_t kRectangleTries = 10;

/// The bytes of a sample's random pixels, one after the other.
class RandomBytes {
 public:
  RandomBytes(const RandomStream& stream, std::int64_t epoch, std::int64_t index)
      : stream_(stream),
        epoch_(static_cast<std::uint64_t>(epoch)),
        index_(static_cast<std::uint64_t>(index)) {}

  std::uint8_t next() {
    const std::uint32_t place = drawn_++ % 16;
    if (place == 0) words_ = stream_.block(epoch_, index_, draws::kErasedPixels + drawn_ / 16);
    return static_cast<std::uint8_t>(words_.word[place / 4] >> (8 * (place % 4)));
  }

 private:
  const RandomStream& stream_;
  std::uint64_t epoch_;
  std::uint64_t index_;
  std::uint32_t drawn_ = 0;
  Random4 words_{};
};

}  // namespace

Rect rectangle_to_erase(const RandomErasing& erasing, const RandomStream& stream, std::int64_t epoch,
                        std::int64_t index, int height, int width) {
  const auto step = static_cast<std::uint64_t>(epoch);
  const auto sample = static_cast<std::uint64_t>(index);
  const std::uint32_t whether = stream.block(step, sample, draws::kErase).word[0];
  if (uniform_between(0, 1, whether) >= erasing.probability) return {};
  const double area = static_cast<double>(height) * width;
  const double least = std::log(erasing.least_aspect);
  const double most = std::log(erasing.most_aspect);
  for (std::uint32_t i = 0; i < kRectangleTries; ++i) {
    const Random4 words = stream.block(step, sample, draws::kEraseTries + i);
    const double wanted = area * uniform_between(erasing.least_area, erasing.most_area, words.word[0]);
    const double aspect = std::exp(uniform_between(least, most, words.word[1]));
    const auto high = static_cast<std::int64_t>(std::llround(std::sqrt(wanted / aspect)));
    const auto wide = static_cast<std::int64_t>(std::llround(std::sqrt(wanted * aspect)));
    if (high < 1 || wide < 1 || high >= height || wide >= width) continue;
    return {static_cast<int>(uniform_below(words.word[2], static_cast<std::uint32_t>(height - high + 1))),
            static_cast<int>(uniform_below(words.word[3], static_cast<std::uint32_t>(width - wide + 1))),
            static_cast<int>(high), static_cast<int>(wide)};
  }
  return {};
}

void erase_rectangle(const RandomErasing& erasing, const RandomStream& stream, std::int64_t epoch,
                     std::int64_t index, const Rect& rect, Shape shape, std::uint8_t* pixels) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  const std::size_t bytes = static_cast<std::size_t>(rect.width) * channels;
  RandomBytes random(stream, epoch, index);
  for (std::int64_t y = rect.top; y < rect.top + rect.height; ++y) {
    std::uint8_t* row = pixels + (y * shape.width + rect.left) * shape.channels;
    switch (erasing.with) {
      case EraseWith::random:
        std::generate_n(row, bytes, [&] { return random.next(); });
        break;
      case EraseWith::mean:
        for (std::size_t i = 0; i < bytes; ++i) row[i] = erasing.mean.at(i % channels);
        break;
      case EraseWith::zero:
        std::fill_n(row, bytes, std::uint8_t{0});
        break;
    }
  }
}

}  // namespace convoy
