#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/left_out.h"
#include "trainer/data/listing.h"
#include "trainer/data/tar_reader.h"

namespace convoy {

/// The samples of one shard.
struct ShardSamples {
  bool numbered = false;             ///< labels come from .cls members
  std::vector<std::string> classes;  ///< else their names, in the order in which they come
  std::vector<ListedFile> files;  ///< in the order of the shard; labels count `classes`, or are the numbers
  LeftOut others, links;          ///< members that are no image, that are no file
};

/// Lists a tar file in WebDataset's naming (https://github.com/webdataset/webdataset): a member's name up to
/// the first dot after its last slash is the sample's key, the rest its ending, in any case. The members of a
/// sample stand together: its image (.jpg .jpeg .jpe .jfif .png .ppm) and .cls, a number as text; in shards
/// without .cls members the first folder in the name is the class.
///
/// Throws Error(data) that names file and byte for what TarReader throws, samples without an image or a label
/// or with two, keys that come again, labels that are no numbers below kMostClasses, and shards that mix both
/// kinds of labels.
ShardSamples list_shard(const TarSource& source);

/// The same of all shards below `root`, by so many threads; labels count the sorted names of all their
/// classes.
Listing scan_shards(const std::filesystem::path& root, const std::vector<std::string>& names, int threads);

}  // namespace convoy
