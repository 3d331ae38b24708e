#include "launch/data_folders.h"

#include <algorithm>
#include <set>

#include "layers/core/error.h"
#include "trainer/data/image_list.h"
#include "trainer/data/image_shards.h"
#include "trainer/data/parallel.h"
#include "trainer/data/printable.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using Kind = ImagePlace::Kind;

/// "train-*.tar" of "train-000012.tar".
std::string pattern_of(const std::string& name) {
  const std::string stem = name.substr(0, name.size() - 4);
  const std::size_t end = stem.find_last_not_of("0123456789");
  const std::size_t digits = end == std::string::npos ? 0 : end + 1;
  return digits < stem.size() ? stem.substr(0, digits) + "*.tar" : name;
}

std::set<std::string> patterns_in(const fs::path& folder) {
  std::set<std::string> patterns;
  std::error_code ignored;
  for (const auto& file : fs::directory_iterator(folder, ignored)) {
    const std::string name = file.path().filename().string();
    if (name.ends_with(".tar") && name.front() != '.') patterns.insert(pattern_of(name));
  }
  return patterns;
}

}  // namespace

std::vector<ImagePlace> image_places(const std::string& place) {
  std::error_code ignored;
  const fs::path path(place);
  if (!fs::is_directory(path, ignored)) {
    if (place.find_first_of("{*?") != std::string::npos || place.ends_with(".tar"))
      return {{Kind::shards, path.parent_path(), path.filename().string()}};
    if (fs::is_regular_file(path, ignored))
      return {{Kind::list, path.parent_path(), path.filename().string()}};
    fail(ExitCode::data, "{}: there is no such folder", printable(place));
  }
  std::vector<ImagePlace> places;
  for (const char* name : {"train", "val"}) {
    if (fs::is_directory(path / name, ignored)) places.push_back({Kind::folder, path / name, ""});
  }
  if (!places.empty()) return places;
  for (const std::string& pattern : patterns_in(path)) places.push_back({Kind::shards, path, pattern});
  if (places.empty()) places.push_back({Kind::folder, path, ""});
  return places;
}

std::shared_ptr<const ImageFolder> open_place(const ImagePlace& place, const DecodeOptions& options,
                                              std::vector<std::string>& notes) {
  if (place.kind == Kind::list) return open_list(place.root, place.name, 0, options);
  if (place.kind == Kind::folder)
    return open_folder(place.root, list_classes(place.root), options, false, notes);
  auto index = load_shards_index(place.root, place.name, scan_threads(), notes);
  return open_shards(place.root, place.name, std::move(index), 0, {}, options);
}

}  // namespace convoy
