#include "trainer/data/image_shards.h"

#include <zlib.h>

#include <numeric>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/class_names.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/formats.h"
#include "trainer/data/parallel.h"
#include "trainer/data/printable.h"
#include "trainer/data/shard_names.h"
#include "trainer/data/shard_scan.h"
#include "trainer/data/skip_broken.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

/// Files that a process has open beside its shards.
constexpr std::int64_t kOtherFiles = 256;

/// Samples nearer to each other than this are fetched with what is between them.
constexpr std::uint64_t kFetchedGap = std::uint64_t{1} << 16;

/// The first shard that is not as the index has it; nullopt where all are.
std::optional<std::string> changed_shard(const fs::path& root, const FolderIndex& index,
                                         const std::vector<std::string>& names) {
  const std::vector<FolderIndex::Folder> shards = index.folders();
  for (std::size_t i = 0; i < std::max(names.size(), shards.size()); ++i) {
    if (i >= names.size()) return shards[i].path;
    std::error_code gone;
    if (i >= shards.size() || shards[i].path != names[i] ||
        shards[i].stamp != static_cast<std::int64_t>(fs::file_size(root / names[i], gone))) {
      return names[i];
    }
  }
  return std::nullopt;
}

std::vector<std::string> class_names_of(const fs::path& root, const FolderIndex& index, int classes,
                                        const std::string& place) {
  if (index.kind() != ListingKind::numbered_shards) return index.class_names();
  return names_of_numbers(root / kClassesFile, index.class_names().size(), classes, place);
}

/// Whether a test set needs no training set to know the classes by.
bool tells_classes(const fs::path& root, const FolderIndex& index, int classes) {
  std::error_code ignored;
  return index.kind() == ListingKind::numbered_shards &&
         (classes > 0 || fs::is_regular_file(root / kClassesFile, ignored));
}

/// Classes of the training shards; none where these are not at hand.
std::vector<std::string> training_classes(const fs::path& root, const DataSource& source) {
  std::vector<std::string> ignored;
  std::vector<std::string> shards;
  try {
    shards = find_shards(root, source.train_shards, ignored);
  } catch (const Error&) {
    return {};
  }
  const auto index = load_shards_index(root, source.train_shards, scan_threads(), ignored);
  return class_names_of(root, *index, source.classes, (root / source.train_shards).string());
}

}  // namespace

ImageShards::ImageShards(fs::path root, std::shared_ptr<const FolderIndex> index,
                         std::vector<std::string> class_names, std::vector<std::int32_t> labels,
                         DecodeOptions options)
    : ImageFolder(std::move(root), std::move(index), std::move(class_names), std::move(labels), options) {
  const std::vector<FolderIndex::Folder> shards = this->index().folders();
  shards_ = std::make_unique<Shard[]>(shards.size());
  starts_.push_back(0);
  for (std::size_t i = 0; i < shards.size(); ++i) {
    shards_[i].path = (this->root() / shards[i].path).string();
    starts_.push_back(starts_.back() + shards[i].files);
  }
  allow_open_files(static_cast<std::int64_t>(shards.size()) + kOtherFiles);
}

const OpenFile& ImageShards::opened(std::uint32_t number) const {
  Shard& shard = shards_[number];
  std::call_once(shard.once, [&] { shard.file.emplace(shard.path); });
  return *shard.file;
}

std::span<const std::uint8_t> ImageShards::fetch(const FolderIndex::Entry& entry, const std::string& path,
                                                 ReadScratch& scratch) const {
  constexpr auto kHeader = static_cast<std::size_t>(kTarBlock);
  if (entry.bytes > static_cast<std::uint64_t>(kMostFileBytes)) {
    fail(ExitCode::data, "{}: is of {} bytes, more than the {} that an image may have", printable(path),
         entry.bytes, kMostFileBytes);
  }
  // The header before the content comes with it, and tells whether this is the member that was indexed.
  std::vector<std::uint8_t>& file = scratch.file;
  scratch.decode.claim(static_cast<std::int64_t>(kHeader + entry.bytes));
  resize_exactly(file, kHeader + entry.bytes);
  const std::size_t got =
      opened(entry.folder).read_at(static_cast<std::int64_t>(entry.offset - kHeader), file);
  if (got < file.size()) {
    fail(ExitCode::data, "{}: the shard has been cut short since its index was made; fetch or write it again",
         printable(path));
  }
  if (static_cast<std::uint32_t>(crc32_z(0, file.data(), kHeader)) != entry.header_crc) {
    fail(ExitCode::data,
         "{}: is not where the index says; the shard is another than when the index was made, write that "
         "anew: "
         "convoy data index",
         printable(path));
  }
  return std::span<const std::uint8_t>(file).subspan(kHeader);
}

void ImageShards::will_read(std::span<const std::int64_t> indices) const {
  std::uint32_t shard = 0;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  const auto advise = [&] {
    if (end > start) {
      opened(shard).will_read(static_cast<std::int64_t>(start), static_cast<std::int64_t>(end - start));
    }
  };
  for (const std::int64_t i : indices) {
    const FolderIndex::Entry entry = index().entry(i);
    const std::uint64_t from = entry.offset - static_cast<std::uint64_t>(kTarBlock);
    if (entry.folder != shard || from < start || from > end + kFetchedGap) {
      advise();
      shard = entry.folder;
      start = from;
    }
    end = entry.offset + entry.bytes;
  }
  advise();
}

std::shared_ptr<const FolderIndex> load_shards_index(const fs::path& root, const std::string& pattern,
                                                     int threads, std::vector<std::string>& notes) {
  const std::vector<std::string> names = find_shards(root, pattern, notes);
  const fs::path file = shards_index_path(root, pattern);
  std::error_code ignored;
  if (fs::exists(file, ignored)) {
    std::shared_ptr<const FolderIndex> index = FolderIndex::open(file);
    if (index->kind() == ListingKind::folders) {
      fail(ExitCode::data, "{}: is the index of a folder, not of shards; write it anew: convoy data index",
           printable(file.string()));
    }
    const std::optional<std::string> changed = changed_shard(root, *index, names);
    if (!changed) return index;
    notes.push_back(
        fmt::format("{} is of other shards than these (first {}), so their headers are read; write the index "
                    "anew: convoy data index",
                    printable(file.string()), printable(*changed)));
  }
  Listing listing = scan_shards(root, names, threads);
  for (std::string& note : listing.notes) notes.push_back(printable(root.string()) + ": " + std::move(note));
  return FolderIndex::of(listing);
}

std::shared_ptr<const ImageShards> open_shards(const fs::path& root, const std::string& pattern,
                                               std::shared_ptr<const FolderIndex> index, int classes,
                                               std::vector<std::string> names, const DecodeOptions& options) {
  const std::string place = (root / pattern).string();
  if (index->size() == 0) fail(ExitCode::data, "{}: have no images", printable(place));
  if (names.empty()) names = class_names_of(root, *index, classes, place);
  std::vector<std::int32_t> labels;
  if (index->kind() == ListingKind::numbered_shards) {
    labels.resize(index->class_names().size());
    std::iota(labels.begin(), labels.end(), 0);
    if (labels.size() > names.size()) {
      fail(ExitCode::data, "{}: has label {}, but the training set has {} classes", printable(place),
           labels.size() - 1, names.size());
    }
  } else {
    labels = labels_in(names, *index, place);
  }
  return std::make_shared<ImageShards>(root, std::move(index), std::move(names), std::move(labels), options);
}

std::shared_ptr<const Dataset> open_image_shards(const DataSource& source, Split split) {
  const fs::path root = source.root.empty() ? "." : source.root;
  const std::string& pattern = split == Split::train ? source.train_shards : source.test_shards;
  std::vector<std::string> notes;
  std::shared_ptr<const FolderIndex> index = load_shards_index(root, pattern, scan_threads(), notes);
  std::vector<std::string> names;
  if (split == Split::test && !tells_classes(root, *index, source.classes))
    names = training_classes(root, source);
  const std::shared_ptr<const ImageShards> images =
      open_shards(root, pattern, std::move(index), source.classes, std::move(names), source.decode);
  const fs::path place = root / pattern;
  check_count("classes", source.classes, images->classes(), place);
  check_count(split == Split::train ? "samples" : "test_samples", source.samples, images->size(), place);
  return std::make_shared<SkipBroken>(images, limit_of(source, *images), std::move(notes));
}

}  // namespace convoy
