#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "layers/core/shape.h"

namespace convoy {

/// One decoded sample: 8-bit pixels, rows of interleaved channels (HWC), `channels * height * width` bytes.
struct Image {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;
};

/// A set of labelled images. All members are const and may be called by several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  /// Number of samples; their indices are 0 .. size() - 1.
  virtual std::int64_t size() const = 0;

  /// Number of classes; labels are 0 .. classes() - 1.
  virtual int classes() const = 0;

  /// One name for each class; numbers as text where the set has no names.
  virtual const std::vector<std::string>& class_names() const = 0;

  /// Shape of the stored images; {channels, 0, 0} where height and width vary.
  virtual Shape shape() const = 0;

  /// Decodes sample `index` into `image`, whose storage is reused, and returns its label. Throws Error(data)
  /// that names the file when the sample cannot be read.
  virtual std::int32_t read(std::int64_t index, Image& image) const = 0;
};

/// What to open. Fields that a kind does not name are ignored by it.
struct DataSource {
  /// "mnist", "fashion-mnist", "idx", "cifar10", "cifar100" or "synthetic".
  std::string kind{};

  /// Folder of the files. Empty means the place of Debian's package for "fashion-mnist", the working
  /// directory for the others.
  std::string root{};

  /// For "idx": files of images and labels, relative to `root`, the same for both splits. Where both are
  /// empty, MNIST's file names are looked for in `root`.
  std::string images{}, labels{};

  /// For "synthetic": shape of the images.
  Shape shape{};

  /// For "idx" and "synthetic": number of classes, at least 1.
  int classes = 0;

  /// For "synthetic": number of samples of either split.
  std::int64_t samples = 0;

  /// For "synthetic": what the classes' patterns and the samples are made from.
  std::uint64_t seed = 1;
};

enum class Split { train, test };

/// Folder where Debian's package dataset-fashion-mnist puts its files.
inline constexpr const char* kFashionMnistRoot = "/usr/share/datasets/fashion-mnist";

/// The kinds that open_dataset knows.
const std::vector<std::string>& dataset_kinds();

/// Opens one split of a data set; the sets of files are read whole and kept decoded in memory, once for all
/// threads that share the pointer. Throws Error(usage) for a source that cannot be (unknown kind, no classes,
/// ...) and Error(data) for files that are missing, broken or have labels out of range.
std::shared_ptr<const Dataset> open_dataset(const DataSource& source, Split split);

}  // namespace convoy
