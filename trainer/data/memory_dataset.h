#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace convoy {

/// A data set that is kept decoded in memory: what small sets (MNIST, CIFAR) become.
class MemoryDataset : public Dataset {
 public:
  /// `pixels` is labels.size() images of `shape`, HWC, one after the other; labels are in [0,
  /// class_names.size()).
  MemoryDataset(Shape shape, std::vector<std::string> class_names, std::vector<std::uint8_t> pixels,
                std::vector<std::uint8_t> labels);

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }
  int classes() const override { return static_cast<int>(class_names_.size()); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  Shape shape() const override { return shape_; }
  std::int32_t read(std::int64_t index, Image& image) const override;

 private:
  Shape shape_;
  std::vector<std::string> class_names_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> labels_;
};

}  // namespace convoy
