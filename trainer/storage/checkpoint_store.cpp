#include "trainer/storage/checkpoint_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "layers/core/error.h"
#include "layers/core/text.h"
#include "trainer/storage/checkpoint_folder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
namespace folder = checkpoint_folder;

constexpr const char* format_key = "convoy.format";

/// The format version of a checkpoint; 0 for a file that has none.
std::int64_t format_of(const SafetensorsStream& file) {
  const auto found = file.metadata().find(format_key);
  return found == file.metadata().end() ? 0 : folder::natural_number(found->second).value_or(0);
}

/// Refuses a whole file that is something else.
void check_is_checkpoint(const std::string& path, const SafetensorsStream& file) {
  if (format_of(file) < 1)
    fail(ExitCode::usage,
         "{} is not a checkpoint of Convoy: its metadata has no \"{}\"; give a file from a run's folder "
         "checkpoints/",
         path, format_key);
}

void check_not_newer(const std::string& path, const SafetensorsStream& file) {
  if (format_of(file) > checkpoint_format)
    fail(ExitCode::usage,
         "{} was written by a newer Convoy (checkpoint format {}, this one reads up to {}); use that Convoy, "
         "or name "
         "another checkpoint",
         path, format_of(file), checkpoint_format);
}

}  // namespace

SafetensorsStream open_checkpoint(const std::string& path) {
  SafetensorsStream file = SafetensorsStream::open_checked(path);
  check_is_checkpoint(path, file);
  check_not_newer(path, file);
  return file;
}

CheckpointStore::CheckpointStore(std::string folder, int keep) : folder_(std::move(folder)), keep_(keep) {
  if (keep < 1) fail(ExitCode::usage, "the number of checkpoints to keep must be at least 1, not {}", keep);
}

std::string CheckpointStore::path_of(std::int64_t step) const {
  return (fs::path(folder_) / folder::file_name(step)).string();
}

std::vector<std::string> CheckpointStore::list() const {
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const std::string& name : folder::names_in(folder_))
    if (const auto step = folder::step_of(name))
      found.emplace_back(*step, (fs::path(folder_) / name).string());
  std::ranges::sort(found);
  std::vector<std::string> paths;
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

std::int64_t CheckpointStore::newest_step() const {
  std::int64_t newest = -1;
  for (const std::string& name : folder::names_in(folder_))
    newest = std::max(newest, folder::step_of(name).value_or(-1));
  return newest;
}

std::string CheckpointStore::save(std::int64_t step, std::span<const TensorSource> tensors,
                                  Metadata metadata) const {
  if (step < 0) fail(ExitCode::internal, "cannot save a checkpoint of step {}", step);
  metadata[format_key] = std::to_string(checkpoint_format);
  const std::string path = path_of(step);
  try {
    folder::make(folder_);
    remove_stale_partials();
    write_safetensors(path, tensors, metadata);
  } catch (const Error& error) {
    fail(error.code(), "{}; {}", error.what(), last_good());
  }
  prune(step);
  return path;
}

std::string CheckpointStore::save(std::int64_t step, std::span<const TensorView> tensors,
                                  Metadata metadata) const {
  return save(step, sources_of(tensors), std::move(metadata));
}

std::string CheckpointStore::last_good() const try {
  const std::optional<Found> found = newest();
  return found ? fmt::format("the last good checkpoint is {}", found->path) : "there is no checkpoint yet";
} catch (const Error&) {
  return fmt::format("there is no good checkpoint in {}", folder_);
}

std::optional<CheckpointStore::Found> CheckpointStore::newest() const {
  std::vector<std::string> warnings;
  const std::vector<std::string> paths = list();
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    std::optional<SafetensorsStream> file;
    try {
      file = SafetensorsStream::open_checked(*path);
      check_is_checkpoint(*path, *file);
    } catch (const Error& error) {
      if (error.code() != ExitCode::usage) throw;
      warnings.push_back(fmt::format("skipped a checkpoint that cannot be used: {}", error.what()));
      continue;
    }
    check_not_newer(*path, *file);  // not skipped: to go on from an older one would throw work away
    return Found{*path, std::move(*file), std::move(warnings)};
  }
  if (paths.empty()) return std::nullopt;
  fail(ExitCode::usage, "no checkpoint in {} can be used; remove them to begin anew:\n  {}", folder_,
       join(warnings, "\n  "));
}

void CheckpointStore::remove_stale_partials() const {
  std::error_code ignored;  // what cannot be removed does no harm but take space
  for (const std::string& name : folder::names_in(folder_))
    if (folder::is_stale_partial(name)) fs::remove(fs::path(folder_) / name, ignored);
}

void CheckpointStore::prune(std::int64_t newest_step) const {
  std::vector<std::string> paths = list();
  const auto newer = std::ranges::find(paths, path_of(newest_step));
  std::ptrdiff_t surplus = newer - paths.begin() + 1 - keep_;
  std::error_code ignored;  // tried again at the next save
  for (auto path = paths.begin(); surplus > 0; ++path, --surplus) fs::remove(*path, ignored);
}

}  // namespace convoy
