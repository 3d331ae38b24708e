#include "trainer/kernels/kernel_cache.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <span>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "trainer/storage/file_io.h"

namespace convoy {
namespace {

/// A thousand times what a network needs.
constexpr std::int64_t kMostTableBytes = 64 << 20;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string cache_file_name(const std::string& kind, const std::string& conditions) {
  // All but letters, digits and dots as single dashes.
  std::string name = kind;
  bool gap = true;
  for (const char c : conditions) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.';
    if (kept && gap) name += '-';
    if (kept) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    gap = !kept;
  }
  return name + ".json";
}

std::string kernel_cache_folder() {
  if (const std::string own = environment("CONVOY_CACHE"); !own.empty()) return own;
  if (const std::string caches = environment("XDG_CACHE_HOME"); !caches.empty()) return caches + "/convoy";
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.cache/convoy";
}

KernelTable read_kernel_table(const std::string& path) {
  InputFile file(path);
  if (file.size() > kMostTableBytes)
    fail(ExitCode::usage, "{}: no table of kernels: it has {}", path, format_bytes(file.size()));
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(text.data(), text.size())));
  try {
    return KernelTable::parse(text);
  } catch (const Error& problem) {
    fail(problem.code(), "{}: {}", path, problem.what());
  }
}

KernelCache::KernelCache(const std::string& folder, const std::string& conditions) : folder_(folder) {
  table_.conditions = conditions;
  if (folder.empty()) return;
  path_ = folder + "/" + cache_file_name("kernels", conditions);
  read();
}

void KernelCache::read() {
  std::error_code unknown;
  if (!std::filesystem::exists(path_, unknown)) return;
  try {
    KernelTable found = read_kernel_table(path_);
    if (found.conditions == table_.conditions) table_.trials.merge(found.trials);
  } catch (const Error& problem) {
    warnings_.push_back(fmt::format("warning: {}; it is not used", problem.what()));
  }
}

void KernelCache::add(const KernelTrials& trials) {
  if (!path_.empty()) {
    warnings_.clear();
    read();
  }
  for (const auto& [problem, trial] : trials) table_.trials.insert_or_assign(problem, trial);
  if (path_.empty()) return;
  try {
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    if (failed) fail(ExitCode::internal, "cannot make the folder {}: {}", folder_, failed.message());
    const std::string text = table_.text();
    PartialFile file(path_);
    file.write(std::as_bytes(std::span(text.data(), text.size())));
    file.commit();
  } catch (const Error& problem) {
    warnings_.push_back(fmt::format("warning: {}; kernels are measured again the next time", problem.what()));
  }
}

}  // namespace convoy
