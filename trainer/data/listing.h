#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convoy {

/// Where the images of a listing lie, and where their labels come from.
enum class ListingKind : std::uint32_t {
  folders = 0,          ///< files in folders, one for each class
  shards = 1,           ///< members of tar files; classes are the first folders in their names
  numbered_shards = 2,  ///< members of tar files; labels are numbers in .cls members
};

/// A file as a scan finds it, or a member of a tar file; nothing of it is decoded.
struct ListedFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::int32_t label = -1;       ///< class; -1: that of its folder
  std::uint64_t offset = 0;      ///< in the tar file
  std::uint32_t header_crc = 0;  ///< of the tar header before it
};

/// A folder of images and what is in it, without the folders in it; or a shard.
struct ListedFolder {
  std::string path;         ///< below the scanned folder, "a/b"; "" is that folder itself
  std::int32_t label = -1;  ///< class of its files; -1: each has its own, or there are none
  std::int64_t stamp = 0;   ///< time of the last change in nanoseconds since 1970; of a shard, its bytes
  std::vector<ListedFile> files;  ///< by name; of a shard, by offset
};

/// The images of a data set.
struct Listing {
  ListingKind kind = ListingKind::folders;
  std::vector<std::string> class_names;  ///< sorted, byte by byte; numbers in their order
  std::vector<ListedFolder> folders;     ///< sorted by path; a scanned folder itself is the first
  std::vector<std::string> notes;        ///< what was left out and why, for the user
};

}  // namespace convoy
