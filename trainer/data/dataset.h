#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "layers/core/shape.h"
#include "trainer/data/image.h"
#include "trainer/data/image_decoder.h"
#include "trainer/data/view.h"

namespace convoy {

/// Storage that Dataset::read_crop reuses; one for each thread.
struct ReadScratch {
  std::vector<std::uint8_t> file;
  DecodeScratch decode;
  std::int64_t file_bytes = 0;  ///< read from files so far
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

  /// The same of a part of the sample, which `choose` picks when the size is known: sets of encoded images
  /// decode no more than that. Here the whole image is read.
  virtual std::int32_t read_crop(std::int64_t index, const ChooseCrop& choose, ReadScratch& scratch,
                                 View& view) const;

  /// What messages call a sample: the path of its file.
  virtual std::string sample_name(std::int64_t index) const;

  /// Samples that lie together and are best read in their order, as the shards of a set: the first index of
  /// each, then size().
  virtual std::vector<std::int64_t> shard_starts() const { return {0, size()}; }

  /// Says that these samples, in rising order, will be read soon: sets on disks have them fetched meanwhile.
  virtual void will_read(std::span<const std::int64_t> /*indices*/) const {}

  /// Bound of the memory that a thread takes to read a sample, image and scratch.
  virtual std::int64_t scratch_bytes() const { return shape().elements(); }

  /// What is to be told of the set since the last call: files that were replaced.
  virtual std::vector<std::string> take_notes() const { return {}; }

  /// A hash of what the set is made of, for ranks to compare; 0 where a job's keys say all of it.
  virtual std::uint32_t checksum() const { return 0; }
};

/// What to open. Fields that a kind does not name are ignored by it.
struct DataSource {
  /// "mnist", "fashion-mnist", "idx", "cifar10", "cifar100", "synthetic", "image-folder", "image-list" or
  /// "image-shards".
  std::string kind{};

  /// Folder of the files. Empty means the place of Debian's package for "fashion-mnist", the working
  /// directory for the others.
  std::string root{};

  /// For "idx": files of images and labels, relative to `root`, the same for both splits. Where both are
  /// empty, MNIST's file names are looked for in `root`.
  std::string images{}, labels{};

  /// For "synthetic": shape of the images.
  Shape shape{};

  /// For "image-folder": folders below `root`, each with a folder for each class.
  std::string train_folder{}, test_folder{};

  /// For "image-list": list files below `root`, a line "path label" for each image.
  std::string train_list{}, test_list{};

  /// For "image-shards": names of tar files below `root`, such as "train-{000000..000999}.tar".
  std::string train_shards{}, test_shards{};

  /// For sets of image files (holds_image_files): how files are decoded.
  DecodeOptions decode{};

  /// For sets of image files: broken files that are replaced before reading fails; -1: not one.
  std::int64_t broken_limit = -1;

  /// The same as a share of the set; the larger of both counts.
  double broken_share = 0;

  /// For "idx" and "synthetic": number of classes, at least 1. For sets of image files: how many there must
  /// be; 0: any number.
  int classes = 0;

  /// For "synthetic": number of samples of the split. For sets of image files: how many there must be; 0: any
  /// number.
  std::int64_t samples = 0;

  /// For "synthetic": what the classes' patterns and the samples are made from.
  std::uint64_t seed = 1;
};

enum class Split { train, test };

/// Folder where Debian's package dataset-fashion-mnist puts its files.
inline constexpr const char* kFashionMnistRoot = "/usr/share/datasets/fashion-mnist";

/// The kinds that open_dataset knows.
const std::vector<std::string>& dataset_kinds();

/// What the name of a kind says of every set of that kind; 0 where only its files or the job's keys tell.
struct KnownSet {
  int classes = 0;
  std::int64_t channels = 0;
  std::int64_t train_samples = 0;
  std::int64_t test_samples = 0;
};
KnownSet known_set(const std::string& kind);

/// Whether a kind's samples are JPEG, PNG and PPM files of any size, which are decoded as they are read:
/// "image-folder", "image-list", "image-shards".
bool holds_image_files(const std::string& kind);

/// Opens one split of a data set; the sets of files are read whole and kept decoded in memory, once for all
/// threads that share the pointer. Throws Error(usage) for a source that cannot be (unknown kind, no classes,
/// ...) and Error(data) for files that are missing, broken or have labels out of range.
std::shared_ptr<const Dataset> open_dataset(const DataSource& source, Split split);

}  // namespace convoy
