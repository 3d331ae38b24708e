#include "trainer/data/memory_dataset.h"

#include <utility>

#include "layers/core/error.h"

namespace convoy {

MemoryDataset::MemoryDataset(Shape shape, std::vector<std::string> class_names,
                             std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels)
    : shape_(shape),
      class_names_(std::move(class_names)),
      pixels_(std::move(pixels)),
      labels_(std::move(labels)) {
  const std::int64_t expected = size() * shape_.elements();
  if (static_cast<std::int64_t>(pixels_.size()) != expected) {
    fail(ExitCode::internal, "data set of {} images has {} bytes of pixels, expected {}", size(),
         pixels_.size(), expected);
  }
}

std::int32_t MemoryDataset::read(std::int64_t index, Image& image) const {
  if (index < 0 || index >= size()) {
    fail(ExitCode::data, "sample {} was asked for, but the data set has samples 0 to {}", index, size() - 1);
  }
  const std::uint8_t* first = pixels_.data() + index * shape_.elements();
  image.channels = static_cast<int>(shape_.channels);
  image.height = static_cast<int>(shape_.height);
  image.width = static_cast<int>(shape_.width);
  image.pixels.assign(first, first + shape_.elements());
  return labels_[static_cast<std::size_t>(index)];
}

}  // namespace convoy
