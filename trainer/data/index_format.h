#pragma once

#include <bit>
#include <cstdint>

namespace convoy {

static_assert(std::endian::native == std::endian::little, "index files are little-endian");

/// First bytes of an index file. Sections follow in the order of their counts, each of a multiple of 8 bytes.
struct IndexHeader {
  char magic[8];              ///< kIndexMagic
  std::uint64_t file_bytes;   ///< of the whole file
  std::uint64_t entries;      ///< images
  std::uint64_t folders;      ///< IndexFolder each
  std::uint64_t classes;      ///< IndexClass each; their names come first in the text section
  std::uint64_t text_bytes;   ///< class names, then folders' paths
  std::uint64_t blocks;       ///< a u32 check sum each
  std::uint64_t names_bytes;  ///< names of images
  std::uint64_t total_bytes;  ///< of all images
  std::uint64_t largest_bytes;
  std::uint32_t listing_crc;  ///< of names, sizes and classes
  std::uint32_t tables_crc;   ///< from the end of the header to the entries
  std::uint32_t kind;         ///< ListingKind
  std::uint32_t header_crc;   ///< of all of the header before it
};
static_assert(sizeof(IndexHeader) == 96);

struct IndexFolder {
  std::int64_t stamp;         ///< ListedFolder::stamp
  std::uint64_t path_offset;  ///< in the text section
  std::uint64_t files;        ///< images in it
  std::uint32_t path_bytes;
  std::int32_t label;
};
static_assert(sizeof(IndexFolder) == 32);

struct IndexClass {
  std::uint64_t name_bytes;
  std::uint64_t files;  ///< images of it
};
static_assert(sizeof(IndexClass) == 16);

/// Of an image; one more after the last holds where the names end.
struct IndexEntry {
  std::uint64_t name_offset;  ///< in the names
  std::uint64_t bytes;
  std::uint64_t offset;  ///< in the shard
  std::uint32_t folder;
  std::int32_t label;
  std::uint32_t header_crc;  ///< of the tar header before it
  std::uint32_t unused;
};
static_assert(sizeof(IndexEntry) == 40);

inline constexpr char kIndexMagic[8] = {'C', 'V', 'Y', 'I', 'D', 'X', '0', '2'};

/// Where the sections start.
struct IndexSections {
  std::uint64_t folders, classes, text, blocks, entries, names, end;

  /// Of counts that are each below 2^40, so that nothing overflows.
  static constexpr IndexSections of(const IndexHeader& h) {
    const auto padded = [](std::uint64_t bytes) { return (bytes + 7) / 8 * 8; };
    IndexSections s{};
    s.folders = sizeof(IndexHeader);
    s.classes = s.folders + h.folders * sizeof(IndexFolder);
    s.text = s.classes + h.classes * sizeof(IndexClass);
    s.blocks = s.text + padded(h.text_bytes);
    s.entries = s.blocks + padded(h.blocks * sizeof(std::uint32_t));
    s.names = s.entries + (h.entries + 1) * sizeof(IndexEntry);
    s.end = s.names + padded(h.names_bytes);
    return s;
  }
};

/// Check sums of an index's content, whose header's counts have been checked against its size: of a block's
/// entries and names, of the tables, of the header itself.
std::uint32_t index_block_crc(const IndexHeader& header, const std::uint8_t* content, std::uint64_t block);
std::uint32_t index_tables_crc(const IndexHeader& header, const std::uint8_t* content);
std::uint32_t index_header_crc(const IndexHeader& header);

}  // namespace convoy
