#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/listing.h"

namespace convoy {

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
