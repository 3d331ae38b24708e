#include "trainer/data/dataset.h"

#include <filesystem>

#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/data/byte_reader.h"
#include "trainer/data/class_names.h"
#include "trainer/data/formats.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

void check_classes(const DataSource& source, int most) {
  if (source.classes < 1 || source.classes > most) {
    fail(ExitCode::usage, "data set of kind \"{}\": {} classes, expected 1 to {}; set data.classes",
         source.kind, source.classes, most);
  }
}

std::shared_ptr<const Dataset> open_idx(const DataSource& source, Split split) {
  check_classes(source, 256);
  std::vector<std::string> names = numbered_names(source.classes);
  const fs::path root = source.root.empty() ? "." : source.root;
  if (source.images.empty() && source.labels.empty()) {
    return read_mnist(root, split, std::move(names),
                      "set data.images and data.labels to the files, or data.root");
  }
  if (source.images.empty() || source.labels.empty()) {
    fail(ExitCode::usage, "data set of kind \"idx\": images and labels go together, but {} is not set",
         source.images.empty() ? "data.images" : "data.labels");
  }
  const auto place = [&](const std::string& name) {
    const fs::path path = source.root.empty() ? fs::path(name) : root / name;
    return find_packed_or_not(path).value_or(path);  // read_idx says what is missing
  };
  return read_idx(place(source.images), place(source.labels), std::move(names));
}

}  // namespace

std::int32_t Dataset::read_crop(std::int64_t index, const ChooseCrop& choose, ReadScratch& /*scratch*/,
                                View& view) const {
  const std::int32_t label = read(index, view.image);
  const ImageCrop crop = choose(view.image.height, view.image.width);
  view.pixels = crop.pixels;
  view.box = crop.box;
  return label;
}

std::string Dataset::sample_name(std::int64_t index) const { return fmt::format("sample {}", index); }

const std::vector<std::string>& dataset_kinds() {
  static const std::vector<std::string> kinds{"mnist",        "fashion-mnist", "idx",
                                              "cifar10",      "cifar100",      "synthetic",
                                              "image-folder", "image-list",    "image-shards"};
  return kinds;
}

KnownSet known_set(const std::string& kind) {
  if (kind == "mnist" || kind == "fashion-mnist") return {10, 1, 60000, 10000};
  if (kind == "cifar10") return {10, 3, 50000, 10000};
  if (kind == "cifar100") return {100, 3, 50000, 10000};
  return {};
}

bool holds_image_files(const std::string& kind) {
  return kind == "image-folder" || kind == "image-list" || kind == "image-shards";
}

std::shared_ptr<const Dataset> open_dataset(const DataSource& source, Split split) {
  const fs::path root = source.root.empty() ? "." : source.root;
  if (source.kind == "mnist") {
    return read_mnist(
        root, split, numbered_names(10),
        "get MNIST's four files (train-images-idx3-ubyte.gz ...) and set data.root to their folder");
  }
  if (source.kind == "fashion-mnist") {
    return read_mnist(source.root.empty() ? kFashionMnistRoot : source.root, split, fashion_mnist_names(),
                      "install Debian's package: apt-get install dataset-fashion-mnist, or set data.root");
  }
  if (source.kind == "idx") return open_idx(source, split);
  if (source.kind == "cifar10") return read_cifar(root, split, 10);
  if (source.kind == "cifar100") return read_cifar(root, split, 100);
  if (source.kind == "image-folder") return open_image_folder(source, split);
  if (source.kind == "image-list") return open_image_list(source, split);
  if (source.kind == "image-shards") return open_image_shards(source, split);
  if (source.kind == "synthetic") {
    check_classes(source, 100000);
    return make_synthetic(source, split);
  }
  fail(ExitCode::usage, "no data set of kind \"{}\"{}; known are {}", source.kind,
       did_you_mean(source.kind, dataset_kinds()), join(dataset_kinds()));
}

}  // namespace convoy
