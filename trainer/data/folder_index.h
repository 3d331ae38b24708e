#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/data/folder_scan.h"

namespace convoy {

/// The list of the images of a folder, or of tar shards, in the form of an index file, used in place: opening
/// costs the same for any number of images, and nothing of them is copied. Of shards, a folder is a shard.
///
/// The file, in little-endian numbers (index_format.h): a header with the counts, tables of folders and
/// classes, the classes' names and the folders' paths, a check sum for each block of kBlockEntries images,
/// the images' entries (where the name starts, folder, label, bytes, place in the shard), their names. Header
/// and tables have check sums of their own, looked at when the index is opened; a block's is looked at when
/// an image of it is first asked for.
class FolderIndex {
 public:
  /// One image.
  struct Entry {
    std::string path;  ///< below the indexed folder
    std::int32_t label = 0;
    std::uint64_t bytes = 0;
    std::uint32_t folder = 0;
    std::uint64_t offset = 0;      ///< in the shard
    std::uint32_t header_crc = 0;  ///< of the tar header before it
  };

  /// A folder or shard. Its images are those after the images of the folders before.
  struct Folder {
    std::string path;
    std::int64_t stamp = 0;  ///< ListedFolder::stamp
    std::int64_t files = 0;
  };

  static constexpr std::int64_t kBlockEntries = 4096;

  /// Maps an index file. Throws Error(data) that says what is wrong with it and how to write it anew.
  static std::shared_ptr<const FolderIndex> open(const std::filesystem::path& file);

  /// The same of a listing, or of the bytes of an index file, without a file; `name` is for messages.
  static std::shared_ptr<const FolderIndex> of(const Listing& listing);
  static std::shared_ptr<const FolderIndex> of(std::vector<std::uint8_t> bytes, const std::string& name);

  ListingKind kind() const;
  std::int64_t size() const { return size_; }
  std::uint64_t bytes() const;     ///< of all images together
  std::uint64_t largest() const;   ///< bytes of the largest
  std::uint32_t checksum() const;  ///< of the listing: names, sizes and classes, not times
  const std::vector<std::string>& class_names() const { return class_names_; }
  std::vector<std::int64_t> class_sizes() const;  ///< images of each class
  std::vector<Folder> folders() const;

  /// Image `index` of [0, size()), in the order of folders and names. May be called by several threads.
  Entry entry(std::int64_t index) const;

  /// A folder that changed since the index was made, below `root`, or nullopt. Asks for the times of the
  /// folders alone, so a file that was written over in place goes unseen; its name is still there.
  std::optional<std::string> changed_folder(const std::filesystem::path& root) const;

 private:
  struct Storage;
  struct Header;
  FolderIndex() = default;
  void attach(const std::string& name);
  void check_block(std::int64_t block) const;
  std::string_view text(std::uint64_t offset, std::uint64_t length) const;

  std::shared_ptr<const Storage> storage_;
  std::span<const std::uint8_t> content_;
  std::string name_;
  std::int64_t size_ = 0;
  std::vector<std::string> class_names_;
  mutable std::vector<std::atomic<bool>> checked_;  ///< blocks
};

/// The bytes of an index file.
std::vector<std::uint8_t> index_bytes(const Listing& listing);

/// Where the index of a folder is: beside it, "train" has "train.convoy-index".
std::filesystem::path index_path(const std::filesystem::path& folder);

/// Writes an index file; whoever reads meanwhile sees the old one or the new one. Throws Error(internal).
void write_index(const std::filesystem::path& file, std::span<const std::uint8_t> content);

}  // namespace convoy
