#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/image_folder.h"
#include "trainer/data/open_file.h"

namespace convoy {

/// Images in indexed tar shards. A shard is opened when it is first needed, once for all threads, and stays
/// open; a sample is one read at its place. Every read looks whether the member is still where the index
/// says.
class ImageShards : public ImageFolder {
 public:
  /// As ImageFolder's; the index is of shards.
  ImageShards(std::filesystem::path root, std::shared_ptr<const FolderIndex> index,
              std::vector<std::string> class_names, std::vector<std::int32_t> labels, DecodeOptions options);

  std::vector<std::int64_t> shard_starts() const override { return starts_; }
  void will_read(std::span<const std::int64_t> indices) const override;

 protected:
  std::span<const std::uint8_t> fetch(const FolderIndex::Entry& entry, const std::string& path,
                                      ReadScratch& scratch) const override;

 private:
  struct Shard {
    std::string path;
    std::once_flag once;
    std::optional<OpenFile> file;
  };
  const OpenFile& opened(std::uint32_t shard) const;

  std::unique_ptr<Shard[]> shards_;
  std::vector<std::int64_t> starts_;
};

/// The index of the shards that `pattern` names below `root`: its file where there is one of the same shards,
/// else one made from their headers by so many threads. `notes` gets what the user should know.
std::shared_ptr<const FolderIndex> load_shards_index(const std::filesystem::path& root,
                                                     const std::string& pattern, int threads,
                                                     std::vector<std::string>& notes);

/// Images of the shards that `pattern` names. Where their labels are numbers, names_of_numbers with
/// classes.txt in `root` names the classes. `names`, where it has any, are the classes of the training set;
/// throws Error(data) for a class that is not among them.
std::shared_ptr<const ImageShards> open_shards(const std::filesystem::path& root, const std::string& pattern,
                                               std::shared_ptr<const FolderIndex> index, int classes,
                                               std::vector<std::string> names, const DecodeOptions& options);

}  // namespace convoy
