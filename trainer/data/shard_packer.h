#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "trainer/data/image_encoder.h"
#include "trainer/data/image_folder.h"
#include "trainer/data/resample.h"

namespace convoy {

struct PackOptions {
  int shorter_side = 0;               ///< larger images are resized to it; 0: none is
  int quality = 0;                    ///< of JPEG, all images are encoded anew; 0: only those that must be
  bool raw = false;                   ///< keep pixels (PPM) in place of JPEG
  bool orientation = false;           ///< turn as EXIF blocks say; all images are encoded anew
  std::int64_t shard_samples = 1000;  ///< images a shard, at least 1
  bool skip_broken = false;           ///< leave out what cannot be decoded
};

/// Quality of images that were resized, where none was asked for.
inline constexpr int kPackQuality = 95;

/// What all threads that pack a set share.
struct PackProgress {
  std::atomic<std::int64_t> images = 0;     ///< looked at, by this program
  std::atomic<std::int64_t> bytes = 0;      ///< written
  const std::atomic<bool>* stop = nullptr;  ///< may be null; ends a shard before its end
  std::mutex mutex;                         ///< of what follows
  std::vector<std::string> left_out{};      ///< broken images and what is wrong with them
};

/// Storage that pack() reuses; one for each thread.
struct PackScratch {
  ReadScratch read;
  View view;
  ResampleScratch resample;
  Image resized;
  EncodedBytes encoded;
};

/// Writes the images of a set into tar shards NAME-000000.tar, NAME-000001.tar, ... of a folder, in an order
/// that mixes the classes. A sample is "NUMBER-NAME" of its file with the endings .jpg, .png or .ppm for the
/// image, and .cls for its label. The bytes of a shard depend on the set and the options alone.
///
/// A shard gets its name when it is whole, on the disk and read back; so packing goes on where it was
/// interrupted. NAME.pack in the folder holds what was asked for, and is locked as long as this lives.
class ShardPacker {
 public:
  /// `set` must outlive this. Throws Error(usage) where the folder holds shards of that name made otherwise,
  /// or another process packs there.
  ShardPacker(const ImageFolder& set, std::filesystem::path folder, std::string name,
              const PackOptions& options);
  ~ShardPacker();
  ShardPacker(const ShardPacker&) = delete;
  ShardPacker& operator=(const ShardPacker&) = delete;

  std::int64_t shards() const { return shards_; }
  std::string shard_name(std::int64_t shard) const;
  std::string pattern() const { return name_ + "-*.tar"; }
  bool is_done(std::int64_t shard) const;
  std::int64_t images_of(std::int64_t shard) const;

  /// Writes a shard; false where it was stopped, and nothing of it is left. Throws Error(data) for a broken
  /// image that is not to be left out. May be called by several threads for different shards.
  bool pack(std::int64_t shard, PackScratch& scratch, PackProgress& progress) const;

 private:
  struct Member;
  std::string manifest() const;
  void claim();
  Member prepare(std::int64_t index, PackScratch& scratch) const;

  const ImageFolder& set_;
  std::filesystem::path folder_;
  std::string name_;
  PackOptions options_;
  std::int64_t shards_;
  int lock_ = -1;
};

/// Writes classes.txt (kClassesFile) of shards. Throws Error(usage) where there is one with other names,
/// Error(data) for names that it cannot hold.
void write_class_names(const std::filesystem::path& folder, const std::vector<std::string>& names);

}  // namespace convoy
