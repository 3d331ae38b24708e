#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "layers/core/error.h"
#include "trainer/data/dataset.h"

namespace convoy {

/// The shape of its images.
inline const Shape kCountingShape{1, 2, 2};

/// `size` images of 1 × 2 × 2 whose pixels are a hash of the index, and whose label is index % 7; counts
/// reads, and can be slow or broken.
class CountingDataset : public Dataset {
 public:
  explicit CountingDataset(std::int64_t size) : size_(size) {}

  std::int64_t size() const override { return size_; }
  int classes() const override { return 7; }
  const std::vector<std::string>& class_names() const override { return names_; }
  Shape shape() const override { return kCountingShape; }

  static std::uint8_t pixel(std::int64_t index, int place) {
    return static_cast<std::uint8_t>(index * 2654435761 >> (5 * place));
  }

  std::int32_t read(std::int64_t index, Image& image) const override {
    reads.fetch_add(1);
    if (microseconds > 0) std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    if (index == broken) fail(ExitCode::data, "sample {} is broken", index);
    image.channels = 1;
    image.height = image.width = 2;
    image.pixels.resize(4);
    for (int i = 0; i < 4; ++i) image.pixels[static_cast<std::size_t>(i)] = pixel(index, i);
    return static_cast<std::int32_t>(index % 7);
  }

  std::int64_t broken = -1;
  int microseconds = 0;  ///< that a read takes
  mutable std::atomic<std::int64_t> reads = 0;

 private:
  std::int64_t size_;
  std::vector<std::string> names_ = std::vector<std::string>(7, "class");
};

}  // namespace convoy
