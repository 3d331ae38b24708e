#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "layers/core/error.h"
#include "trainer/data/folder_index.h"
#include "trainer/data/index_format.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

std::uint32_t crc_of(std::uint32_t start, const void* data, std::size_t bytes) {
  return static_cast<std::uint32_t>(crc32_z(start, static_cast<const Bytef*>(data), bytes));
}

/// Counts of a listing.
IndexHeader measured(const Listing& listing) {
  IndexHeader header{};
  std::memcpy(header.magic, kIndexMagic, sizeof(kIndexMagic));
  header.folders = listing.folders.size();
  header.classes = listing.class_names.size();
  header.kind = static_cast<std::uint32_t>(listing.kind);
  for (const std::string& name : listing.class_names) header.text_bytes += name.size();
  for (const ListedFolder& folder : listing.folders) {
    header.text_bytes += folder.path.size();
    header.entries += folder.files.size();
    for (const ListedFile& file : folder.files) {
      header.names_bytes += file.name.size();
      header.total_bytes += file.bytes;
      header.largest_bytes = std::max(header.largest_bytes, file.bytes);
    }
  }
  constexpr auto block = static_cast<std::uint64_t>(FolderIndex::kBlockEntries);
  header.blocks = (header.entries + block - 1) / block;
  return header;
}

/// Copies `text` to `out` and moves `out` on.
void append(std::uint8_t*& out, const std::string& text) {
  std::memcpy(out, text.data(), text.size());
  out += text.size();
}

std::int32_t label_of(const ListedFolder& folder, const ListedFile& file) {
  return file.label < 0 ? folder.label : file.label;
}

void fill_tables(const Listing& listing, const IndexSections& sections, std::uint8_t* content) {
  std::uint8_t* text = content + sections.text;
  auto* classes = reinterpret_cast<IndexClass*>(content + sections.classes);
  for (std::size_t i = 0; i < listing.class_names.size(); ++i) {
    classes[i] = {listing.class_names[i].size(), 0};
    append(text, listing.class_names[i]);
  }
  auto* folder = reinterpret_cast<IndexFolder*>(content + sections.folders);
  for (const ListedFolder& from : listing.folders) {
    const auto offset = static_cast<std::uint64_t>(text - content) - sections.text;
    *folder++ = {from.stamp, offset, from.files.size(), static_cast<std::uint32_t>(from.path.size()),
                 from.label};
    append(text, from.path);
    for (const ListedFile& file : from.files) ++classes[label_of(from, file)].files;
  }
}

/// Returns the check sum of the listing.
std::uint32_t fill_entries(const Listing& listing, const IndexSections& sections, std::uint8_t* content) {
  auto* entry = reinterpret_cast<IndexEntry*>(content + sections.entries);
  std::uint8_t* name = content + sections.names;
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < listing.folders.size(); ++i) {
    const ListedFolder& folder = listing.folders[i];
    crc = crc_of(crc, folder.path.c_str(), folder.path.size() + 1);
    for (const ListedFile& file : folder.files) {
      const std::uint64_t name_offset = static_cast<std::uint64_t>(name - content) - sections.names;
      *entry = {
          name_offset,     file.bytes, file.offset, static_cast<std::uint32_t>(i), label_of(folder, file),
          file.header_crc, 0};
      crc = crc_of(crc, file.name.c_str(), file.name.size() + 1);
      crc = crc_of(crc, &entry->bytes, sizeof(IndexEntry) - offsetof(IndexEntry, bytes));
      ++entry;
      append(name, file.name);
    }
  }
  *entry = {static_cast<std::uint64_t>(name - content) - sections.names, 0, 0, 0, 0, 0, 0};
  return crc;
}

void fill_blocks(const IndexHeader& header, const IndexSections& sections, std::uint8_t* content) {
  auto* sums = reinterpret_cast<std::uint32_t*>(content + sections.blocks);
  for (std::uint64_t block = 0; block < header.blocks; ++block)
    sums[block] = index_block_crc(header, content, block);
}

}  // namespace

std::uint32_t index_block_crc(const IndexHeader& header, const std::uint8_t* content, std::uint64_t block) {
  const IndexSections sections = IndexSections::of(header);
  constexpr auto size = static_cast<std::uint64_t>(FolderIndex::kBlockEntries);
  const std::uint64_t first = block * size;
  const std::uint64_t last = std::min(first + size, header.entries);
  const auto* entries = reinterpret_cast<const IndexEntry*>(content + sections.entries);
  const std::uint32_t crc = crc_of(0, entries + first, (last - first + 1) * sizeof(IndexEntry));
  const std::uint64_t from = entries[first].name_offset;
  const std::uint64_t to = entries[last].name_offset;
  if (from > to || to > header.names_bytes) return ~crc;  // its entries are damaged
  return crc_of(crc, content + sections.names + from, to - from);
}

std::uint32_t index_tables_crc(const IndexHeader& header, const std::uint8_t* content) {
  return crc_of(0, content + sizeof(IndexHeader), IndexSections::of(header).entries - sizeof(IndexHeader));
}

std::uint32_t index_header_crc(const IndexHeader& header) {
  return crc_of(0, &header, offsetof(IndexHeader, header_crc));
}

std::vector<std::uint8_t> index_bytes(const Listing& listing) {
  IndexHeader header = measured(listing);
  const IndexSections sections = IndexSections::of(header);
  header.file_bytes = sections.end;
  std::vector<std::uint8_t> content(sections.end);
  fill_tables(listing, sections, content.data());
  header.listing_crc = fill_entries(listing, sections, content.data());
  fill_blocks(header, sections, content.data());
  header.tables_crc = index_tables_crc(header, content.data());
  header.header_crc = index_header_crc(header);
  std::memcpy(content.data(), &header, sizeof(header));
  return content;
}

std::filesystem::path index_path(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::path path = std::filesystem::absolute(folder, ignored).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  path += ".convoy-index";
  return path;
}

void write_index(const std::filesystem::path& file, std::span<const std::uint8_t> content) {
  const std::string target = file.string();
  const std::string temporary = fmt::format("{}.{}.part", target, getpid());
  const auto give_up = [&](int error) {
    ::unlink(temporary.c_str());
    fail(code_of_write(error), "{}: cannot be written: {}", printable(target), std::strerror(error));
  };
  const int out = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0) give_up(errno);
  std::size_t done = 0;
  int error = 0;
  while (done < content.size() && error == 0) {
    const ssize_t wrote = ::write(out, content.data() + done, content.size() - done);
    if (wrote < 0 && errno != EINTR) error = errno;
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  if (error == 0 && ::fsync(out) != 0) error = errno;
  if (::close(out) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) give_up(error);
}

}  // namespace convoy
