#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

/// The tar files that `pattern` names, relative to `root`, each once.
///
/// As in WebDataset, {000000..000999} in it stands for each of these numbers, with as many digits as the
/// first, and {a,b} for each of these words; then every file must be there. Without braces, * and ? in the
/// file's name stand for whatever is there (fnmatch), in sorted order; `notes` tells of gaps in their
/// numbers. Throws Error(data) where there is none or one is missing, Error(usage) for braces that cannot be.
std::vector<std::string> find_shards(const std::filesystem::path& root, const std::string& pattern,
                                     std::vector<std::string>& notes);

/// Where the index of such shards is: beside them, that of "train-*.tar" is "train.shards-index".
std::filesystem::path shards_index_path(const std::filesystem::path& root, const std::string& pattern);

}  // namespace convoy
