#include "trainer/data/folder_index.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "layers/core/error.h"
#include "trainer/data/index_format.h"
#include "trainer/data/printable.h"
#include "trainer/data/set_error.h"

namespace convoy {

/// A mapped file, or bytes in memory.
struct FolderIndex::Storage {
  Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage() {
    if (mapped != nullptr) ::munmap(mapped, mapped_bytes);
  }
  void* mapped = nullptr;
  std::size_t mapped_bytes = 0;
  std::vector<std::uint8_t> bytes;
};

namespace {

constexpr std::uint64_t kMostCount = std::uint64_t{1} << 40;

[[noreturn]] void damaged(const std::string& name, const char* what) {
  fail(ExitCode::data, "{}: is no index, or a damaged one ({}); write it anew: convoy data index",
       printable(name), what);
}

const IndexHeader& header_of(std::span<const std::uint8_t> content) {
  return *reinterpret_cast<const IndexHeader*>(content.data());
}

/// The sections, after checking that the counts are those of a file of this size.
void check_header(std::span<const std::uint8_t> content, const std::string& name) {
  if (content.size() < sizeof(IndexHeader)) damaged(name, "too short");
  const IndexHeader& h = header_of(content);
  if (std::memcmp(h.magic, kIndexMagic, sizeof(kIndexMagic)) != 0) damaged(name, "another format or version");
  if (h.header_crc != index_header_crc(h)) damaged(name, "check sum of its header");
  for (const std::uint64_t count : {h.entries, h.folders, h.classes, h.text_bytes, h.blocks, h.names_bytes}) {
    if (count >= kMostCount) damaged(name, "counts out of range");
  }
  constexpr auto block = static_cast<std::uint64_t>(FolderIndex::kBlockEntries);
  if (h.file_bytes != content.size() || IndexSections::of(h).end != content.size() ||
      h.blocks != (h.entries + block - 1) / block) {
    damaged(name, "another size than its header says");
  }
  if (h.kind > static_cast<std::uint32_t>(ListingKind::numbered_shards)) damaged(name, "another kind");
  if (h.tables_crc != index_tables_crc(h, content.data())) damaged(name, "check sum of its tables");
}

}  // namespace

std::shared_ptr<const FolderIndex> FolderIndex::open(const std::filesystem::path& file) {
  const std::string name = file.string();
  const int in = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (in < 0) fail(ExitCode::data, "{}: cannot be opened: {}", printable(name), std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(in, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
  auto storage = std::make_shared<Storage>();
  if (regular) {
    storage->mapped_bytes = static_cast<std::size_t>(status.st_size);
    void* mapped = ::mmap(nullptr, storage->mapped_bytes, PROT_READ, MAP_SHARED, in, 0);
    if (mapped != MAP_FAILED) storage->mapped = mapped;
  }
  ::close(in);
  if (storage->mapped == nullptr) damaged(name, "empty, or it cannot be mapped");
  const std::shared_ptr<FolderIndex> index(new FolderIndex);
  index->content_ = {static_cast<const std::uint8_t*>(storage->mapped), storage->mapped_bytes};
  index->storage_ = std::move(storage);
  index->attach(name);
  return index;
}

std::shared_ptr<const FolderIndex> FolderIndex::of(const Listing& listing) {
  return of(index_bytes(listing), "the list of images");
}

std::shared_ptr<const FolderIndex> FolderIndex::of(std::vector<std::uint8_t> bytes, const std::string& name) {
  auto storage = std::make_shared<Storage>();
  storage->bytes = std::move(bytes);
  const std::shared_ptr<FolderIndex> index(new FolderIndex);
  index->content_ = storage->bytes;
  index->storage_ = std::move(storage);
  index->attach(name);
  return index;
}

void FolderIndex::attach(const std::string& name) {
  name_ = name;
  check_header(content_, name);
  const IndexHeader& header = header_of(content_);
  const IndexSections sections = IndexSections::of(header);
  size_ = static_cast<std::int64_t>(header.entries);
  const auto* classes = reinterpret_cast<const IndexClass*>(content_.data() + sections.classes);
  std::uint64_t offset = 0;
  for (std::uint64_t i = 0; i < header.classes; offset += classes[i++].name_bytes) {
    class_names_.emplace_back(text(offset, classes[i].name_bytes));
  }
  const auto* folders = reinterpret_cast<const IndexFolder*>(content_.data() + sections.folders);
  std::uint64_t files = 0;
  for (std::uint64_t i = 0; i < header.folders; ++i) {
    text(folders[i].path_offset, folders[i].path_bytes);
    if (folders[i].files > header.entries - files) damaged(name_, "more images than it has");
    files += folders[i].files;
  }
  if (files != header.entries) damaged(name_, "images of no folder");
  checked_ = std::vector<std::atomic<bool>>(header.blocks);
}

std::string_view FolderIndex::text(std::uint64_t offset, std::uint64_t length) const {
  const IndexHeader& header = header_of(content_);
  if (offset > header.text_bytes || length > header.text_bytes - offset)
    damaged(name_, "a name out of range");
  const auto* start = reinterpret_cast<const char*>(content_.data() + IndexSections::of(header).text);
  return {start + offset, static_cast<std::size_t>(length)};
}

std::uint64_t FolderIndex::bytes() const { return header_of(content_).total_bytes; }
std::uint64_t FolderIndex::largest() const { return header_of(content_).largest_bytes; }
std::uint32_t FolderIndex::checksum() const { return header_of(content_).listing_crc; }

ListingKind FolderIndex::kind() const { return static_cast<ListingKind>(header_of(content_).kind); }

std::vector<std::int64_t> FolderIndex::class_sizes() const {
  const IndexHeader& header = header_of(content_);
  const auto* classes =
      reinterpret_cast<const IndexClass*>(content_.data() + IndexSections::of(header).classes);
  std::vector<std::int64_t> sizes;
  for (std::uint64_t i = 0; i < header.classes; ++i) {
    sizes.push_back(static_cast<std::int64_t>(classes[i].files));
  }
  return sizes;
}

std::vector<FolderIndex::Folder> FolderIndex::folders() const {
  const IndexHeader& header = header_of(content_);
  const auto* tables =
      reinterpret_cast<const IndexFolder*>(content_.data() + IndexSections::of(header).folders);
  std::vector<Folder> folders;
  for (const IndexFolder& folder : std::span(tables, header.folders)) {
    folders.push_back({std::string(text(folder.path_offset, folder.path_bytes)), folder.stamp,
                       static_cast<std::int64_t>(folder.files)});
  }
  return folders;
}

void FolderIndex::check_block(std::int64_t block) const {
  std::atomic<bool>& checked = checked_[static_cast<std::size_t>(block)];
  if (checked.load(std::memory_order_relaxed)) return;
  const IndexHeader& header = header_of(content_);
  const auto* sums =
      reinterpret_cast<const std::uint32_t*>(content_.data() + IndexSections::of(header).blocks);
  const auto place = static_cast<std::uint64_t>(block);
  if (index_block_crc(header, content_.data(), place) != sums[place]) {
    throw SetError(fmt::format("{}: is damaged (check sum of block {}); write it anew: convoy data index",
                               printable(name_), block));
  }
  checked.store(true, std::memory_order_relaxed);
}

FolderIndex::Entry FolderIndex::entry(std::int64_t index) const {
  if (index < 0 || index >= size_) {
    fail(ExitCode::internal, "{}: image {} was asked for, but it has {}", printable(name_), index, size_);
  }
  check_block(index / kBlockEntries);
  const IndexHeader& header = header_of(content_);
  const IndexSections sections = IndexSections::of(header);
  const IndexEntry* entry = reinterpret_cast<const IndexEntry*>(content_.data() + sections.entries) + index;
  const std::uint64_t from = entry[0].name_offset;
  const std::uint64_t to = entry[1].name_offset;
  if (from > to || to > header.names_bytes || entry->folder >= header.folders || entry->label < 0 ||
      static_cast<std::uint64_t>(entry->label) >= header.classes) {
    damaged(name_, "an entry");
  }
  const IndexFolder& folder =
      reinterpret_cast<const IndexFolder*>(content_.data() + sections.folders)[entry->folder];
  Entry found;
  found.path = text(folder.path_offset, folder.path_bytes);
  if (!found.path.empty()) found.path += '/';
  found.path.append(reinterpret_cast<const char*>(content_.data() + sections.names) + from,
                    static_cast<std::size_t>(to - from));
  found.label = entry->label;
  found.bytes = entry->bytes;
  found.folder = entry->folder;
  found.offset = entry->offset;
  found.header_crc = entry->header_crc;
  return found;
}

std::optional<std::string> FolderIndex::changed_folder(const std::filesystem::path& root) const {
  for (const Folder& folder : folders()) {
    const std::filesystem::path whole = folder.path.empty() ? root : root / folder.path;
    if (modified_time(whole) != folder.stamp) return whole.string();
  }
  return std::nullopt;
}

}  // namespace convoy
