#include "trainer/data/image_folder.h"

#include <algorithm>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/formats.h"
#include "trainer/data/parallel.h"
#include "trainer/data/printable.h"
#include "trainer/data/skip_broken.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

/// Every class must have an image: a network cannot learn what it never sees.
void check_each_class(const FolderIndex& index, const fs::path& folder) {
  const std::vector<std::int64_t> counts = index.class_sizes();
  const auto empty = std::ranges::find(counts, 0);
  if (empty == counts.end()) return;
  const auto place = static_cast<std::size_t>(empty - counts.begin());
  fail(ExitCode::data, "{}: the class has no image; put images into the folder, or remove it",
       printable((folder / index.class_names()[place]).string()));
}

}  // namespace

std::vector<std::int32_t> labels_in(const std::vector<std::string>& names, const FolderIndex& index,
                                    const fs::path& folder) {
  std::vector<std::int32_t> labels;
  for (const std::string& name : index.class_names()) {
    const auto found = std::ranges::lower_bound(names, name);
    if (found == names.end() || *found != name) {
      fail(ExitCode::data, "{}: is a class that the training set does not have; it has {} classes, {} to {}",
           printable((folder / name).string()), names.size(), printable(names.front()),
           printable(names.back()));
    }
    labels.push_back(static_cast<std::int32_t>(found - names.begin()));
  }
  return labels;
}

void check_count(const char* what, std::int64_t expected, std::int64_t found, const fs::path& folder) {
  if (expected == 0 || expected == found) return;
  fail(ExitCode::data, "{}: has {} {}, but data.{} says {}; fetch what is missing, or set data.{} = 0",
       printable(folder.string()), found, what, what, expected, what);
}

ImageFolder::ImageFolder(fs::path root, std::shared_ptr<const FolderIndex> index,
                         std::vector<std::string> class_names, std::vector<std::int32_t> labels,
                         DecodeOptions options)
    : root_(std::move(root)),
      index_(std::move(index)),
      class_names_(std::move(class_names)),
      labels_(std::move(labels)),
      options_(options) {}

std::int32_t ImageFolder::read(std::int64_t index, Image& image) const {
  ReadScratch scratch;
  View view;
  view.image = std::move(image);
  const std::int32_t label = read_crop(index, whole_image, scratch, view);
  image = std::move(view.image);
  return label;
}

ImageFolder::Encoded ImageFolder::read_encoded(std::int64_t index, ReadScratch& scratch) const {
  const FolderIndex::Entry entry = index_->entry(index);
  Encoded image;
  image.name = (root_ / entry.path).string();
  image.bytes = fetch(entry, image.name, scratch);
  image.label = labels_.at(static_cast<std::size_t>(entry.label));
  scratch.file_bytes += static_cast<std::int64_t>(scratch.file.size());
  return image;
}

std::span<const std::uint8_t> ImageFolder::fetch(const FolderIndex::Entry& /*entry*/, const std::string& path,
                                                 ReadScratch& scratch) const {
  read_file(path, scratch.file, scratch.decode.budget);
  return scratch.file;
}

std::int32_t ImageFolder::read_crop(std::int64_t index, const ChooseCrop& choose, ReadScratch& scratch,
                                    View& view) const {
  const Encoded image = read_encoded(index, scratch);
  decode_image({image.bytes, image.name}, options_, choose, scratch.decode, view);
  return image.label;
}

std::string ImageFolder::sample_name(std::int64_t index) const {
  return (root_ / index_->entry(index).path).string();
}

std::shared_ptr<const FolderIndex> load_index(const fs::path& folder, int threads,
                                              std::vector<std::string>& notes) {
  const fs::path file = index_path(folder);
  std::error_code ignored;
  if (fs::exists(file, ignored)) {
    const std::shared_ptr<const FolderIndex> index = FolderIndex::open(file);
    const std::optional<std::string> changed = index->changed_folder(folder);
    if (!changed) return index;
    notes.push_back(
        fmt::format("{} is older than {}, so the folder is read anew; write the index anew: convoy "
                    "data index",
                    printable(file.string()), printable(*changed)));
  }
  Listing listing = scan_folder(folder, threads);
  for (std::string& note : listing.notes)
    notes.push_back(printable(folder.string()) + ": " + std::move(note));
  return FolderIndex::of(listing);
}

std::shared_ptr<const ImageFolder> open_folder(const fs::path& folder,
                                               const std::vector<std::string>& class_names,
                                               const DecodeOptions& options, bool each_class,
                                               std::vector<std::string>& notes) {
  std::shared_ptr<const FolderIndex> index = load_index(folder, scan_threads(), notes);
  std::vector<std::int32_t> labels = labels_in(class_names, *index, folder);
  if (each_class) check_each_class(*index, folder);
  if (index->size() == 0) fail(ExitCode::data, "{}: has no images", printable(folder.string()));
  return std::make_shared<ImageFolder>(folder, std::move(index), class_names, std::move(labels), options);
}

std::shared_ptr<const Dataset> open_image_folder(const DataSource& source, Split split) {
  const fs::path root = source.root.empty() ? "." : source.root;
  const fs::path train = root / source.train_folder;
  const fs::path folder = split == Split::train ? train : root / source.test_folder;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    fail(ExitCode::data, "{}: there is no such folder; set data.root, data.train_folder and data.test_folder",
         printable(folder.string()));
  }
  // Where only the test images are at hand, their folders are the classes.
  const std::vector<std::string> names = list_classes(fs::is_directory(train, ignored) ? train : folder);
  std::vector<std::string> notes;
  const std::shared_ptr<const ImageFolder> images =
      open_folder(folder, names, source.decode, split == Split::train, notes);
  check_count("classes", source.classes, images->classes(), folder);
  check_count(split == Split::train ? "samples" : "test_samples", source.samples, images->size(), folder);
  return std::make_shared<SkipBroken>(images, limit_of(source, *images), std::move(notes));
}

}  // namespace convoy
