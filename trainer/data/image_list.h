#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "trainer/data/image_folder.h"

namespace convoy {

/// Reads the text of a list file: a line "path label" for each image. What follows the last space or tab of a
/// line is the label, a number of [0, kMostClasses); spaces around the path, empty lines and carriage returns
/// at the end of lines do not count. `name` is for messages. The classes are named by their numbers. Throws
/// Error(data) with file and line for anything else, and for a list of no image.
Listing parse_list(std::string_view text, const std::string& name);

/// Opens the list file root / list; paths in it are below `root`, or absolute. `classes`, where it is not 0,
/// is how many there are.
std::shared_ptr<const ImageFolder> open_list(const std::filesystem::path& root, const std::string& list,
                                             int classes, const DecodeOptions& options);

}  // namespace convoy
