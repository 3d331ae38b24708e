#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

/// A file as a scan finds it; nothing of it is read.
struct ListedFile {
  std::string name;
  std::uint64_t bytes = 0;
};

/// A folder of images and what is in it, without the folders in it.
struct ListedFolder {
  std::string path;               ///< below the scanned folder, "a/b"; "" is that folder itself
  std::int32_t label = -1;        ///< class of its files; -1 for the scanned folder itself
  std::int64_t modified = 0;      ///< nanoseconds since 1970: changes when a name comes or goes
  std::vector<ListedFile> files;  ///< by name
};

/// What is in a folder of class folders.
struct Listing {
  std::vector<std::string> class_names;  ///< sorted, byte by byte
  std::vector<ListedFolder> folders;     ///< sorted by path; the first is the scanned folder itself
  std::vector<std::string> notes;        ///< what was left out and why, for the user
};

/// Names of the folders in `folder`, sorted byte by byte: its classes. Names that start with a dot are no
/// classes. Throws Error(data) where `folder` cannot be read or has none.
std::vector<std::string> list_classes(const std::filesystem::path& folder);

/// Lists the images (.jpg, .jpeg, .jpe, .jfif, .png, in any case) of all classes, with so many threads at
/// work.
///
/// Folders in a class folder are part of it, and links are followed; a link back to a folder that it is in is
/// left out with a note. So are names that start with a dot, other endings, and what is no regular file; a
/// link to nothing is listed, as a file that cannot be read. A class without an image gives a note. Throws
/// Error(data) that names a folder that cannot be read.
Listing scan_folder(const std::filesystem::path& folder, int threads);

/// Time of the last change of a folder's list of names, in nanoseconds; -1 where it cannot be told.
std::int64_t modified_time(const std::filesystem::path& folder);

}  // namespace convoy
