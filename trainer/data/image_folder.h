#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/folder_index.h"

namespace convoy {

/// Images of an indexed folder or list, decoded when they are read; shape() is {3, 0, 0}.
class ImageFolder : public Dataset {
 public:
  /// `labels[c]` is the label of the index's class c, -1 where it has none and must not have images.
  ImageFolder(std::filesystem::path root, std::shared_ptr<const FolderIndex> index,
              std::vector<std::string> class_names, std::vector<std::int32_t> labels, DecodeOptions options);

  std::int64_t size() const override { return index_->size(); }
  int classes() const override { return static_cast<int>(class_names_.size()); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  Shape shape() const override { return {3, 0, 0}; }
  std::int32_t read(std::int64_t index, Image& image) const override;
  std::int32_t read_crop(std::int64_t index, const ChooseCrop& choose, ReadScratch& scratch,
                         View& view) const override;
  std::string sample_name(std::int64_t index) const override;
  std::int64_t scratch_bytes() const override { return kThreadBytes; }
  std::uint32_t checksum() const override { return index_->checksum(); }

  const FolderIndex& index() const { return *index_; }

  /// A sample as it is stored.
  struct Encoded {
    std::span<const std::uint8_t> bytes;  ///< in the storage that it was read into
    std::string name;
    std::int32_t label = 0;
  };
  Encoded read_encoded(std::int64_t index, ReadScratch& scratch) const;

  const DecodeOptions& decode_options() const { return options_; }

 protected:
  /// Reads what `entry` lists, whose path is `path`, into scratch.file; returns the image's bytes in it.
  virtual std::span<const std::uint8_t> fetch(const FolderIndex::Entry& entry, const std::string& path,
                                              ReadScratch& scratch) const;

  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
  std::shared_ptr<const FolderIndex> index_;
  std::vector<std::string> class_names_;
  std::vector<std::int32_t> labels_;
  DecodeOptions options_;
};

/// Throws Error(data) unless `found` is what the job's key data.`what` says; 0 there: any number. `place` is
/// for the message.
void check_count(const char* what, std::int64_t expected, std::int64_t found,
                 const std::filesystem::path& place);

/// Of the classes of an index the numbers in `names`, which are sorted. Throws Error(data) for one that is
/// not among them.
std::vector<std::int32_t> labels_in(const std::vector<std::string>& names, const FolderIndex& index,
                                    const std::filesystem::path& folder);

/// The index of a folder: its index file where there is one and no folder changed since, else a scan by so
/// many threads. `notes` gets what the user should know.
std::shared_ptr<const FolderIndex> load_index(const std::filesystem::path& folder, int threads,
                                              std::vector<std::string>& notes);

/// Images of `folder` with the labels of `class_names`. Throws Error(data) where it has a class that is not
/// among them, or where one of its own classes has no image and `each_class` is asked for.
std::shared_ptr<const ImageFolder> open_folder(const std::filesystem::path& folder,
                                               const std::vector<std::string>& class_names,
                                               const DecodeOptions& options, bool each_class,
                                               std::vector<std::string>& notes);

}  // namespace convoy
