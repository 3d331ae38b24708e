#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trainer/storage/safetensors_stream.h"

namespace convoy {

/// The version of what the tensors and metadata of a checkpoint mean, kept as metadata "convoy.format".
inline constexpr int checkpoint_format = 1;

/// Opens one checkpoint that the user named: checksums and format version are verified.
/// Throws Error(usage) when it is broken, is not a checkpoint of Convoy, or was written by a newer Convoy.
SafetensorsStream open_checkpoint(const std::string& path);

/// A folder of checkpoints "step-000000123.safetensors". Holds no state but the folder's name, so save may
/// run on any thread; one save at a time, and one process that saves, per folder.
class CheckpointStore {
 public:
  /// A checkpoint that is whole.
  struct Found {
    std::string path;
    SafetensorsStream file;
    std::vector<std::string>
        warnings;  ///< one for each newer checkpoint that was skipped because it is broken
  };

  /// `keep` >= 1 is the number of checkpoints that save leaves. The folder is made by the first save.
  CheckpointStore(std::string folder, int keep);

  /// Saves one checkpoint, with "convoy.format" added to its metadata, and gives its path. When it is
  /// durable, older ones (of a lower step) are removed until `keep` are left, the new one included. Partial
  /// files that killed processes left are removed first, since the disk may be full of them. Throws
  /// Error(internal) when it cannot be written: the message names the last good checkpoint, which is
  /// untouched.
  std::string save(std::int64_t step, std::span<const TensorSource> tensors, Metadata metadata) const;
  std::string save(std::int64_t step, std::span<const TensorView> tensors, Metadata metadata) const;

  /// The newest (highest step) checkpoint that is whole; broken newer ones are skipped with a warning that
  /// names them. nullopt when there is no checkpoint. Throws Error(usage) when all are broken, and when the
  /// newest whole one was written by a newer Convoy.
  std::optional<Found> newest() const;

  /// The highest step of a checkpoint, whole or not; -1 when there is none.
  std::int64_t newest_step() const;

  /// Paths of all checkpoints, whole or not, by rising step. Empty when the folder does not exist.
  std::vector<std::string> list() const;

 private:
  std::string path_of(std::int64_t step) const;
  std::string last_good() const;
  void remove_stale_partials() const;
  void prune(std::int64_t newest_step) const;

  std::string folder_;
  int keep_;
};

}  // namespace convoy
