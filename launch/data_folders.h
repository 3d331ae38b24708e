#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "trainer/data/image_folder.h"

namespace convoy {

/// Where images lie: a folder of class folders, tar shards, or a list file.
struct ImagePlace {
  enum class Kind { folder, shards, list };
  Kind kind = Kind::folder;
  std::filesystem::path root;  ///< the folder; or what shards and list lie in
  std::string name;            ///< pattern of the shards (find_shards), name of the list file

  /// As messages call it.
  std::string text() const { return (root / name).string(); }
};

/// The sets of images that `place` names: of a folder its folders "train" and "val", those of them that it
/// has, else its tar files, those of one name with other numbers together, else the folder itself; the shards
/// of a pattern or one tar file; a list file. Throws Error(data) where there is nothing.
std::vector<ImagePlace> image_places(const std::string& place);

/// Opens one for itself: its classes are its own. `notes` gets what the user should know.
std::shared_ptr<const ImageFolder> open_place(const ImagePlace& place, const DecodeOptions& options,
                                              std::vector<std::string>& notes);

int data_index(const std::vector<std::string>& arguments);
int data_check(const std::vector<std::string>& arguments);
int data_mean(const std::vector<std::string>& arguments);
int data_pack(const std::vector<std::string>& arguments);
int data_show(const std::vector<std::string>& arguments);

}  // namespace convoy
