#include "trainer/storage/checkpoint_folder.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <limits>
#include <system_error>

#include "layers/core/error.h"
#include "trainer/storage/file_io.h"

namespace convoy::checkpoint_folder {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "step-";
constexpr std::string_view suffix = ".safetensors";
constexpr std::string_view partial = ".safetensors.partial.";

}  // namespace

std::optional<std::int64_t> natural_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return value;
}

std::string file_name(std::int64_t step) { return fmt::format("{}{:09}{}", prefix, step, suffix); }

std::optional<std::int64_t> step_of(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size())
    return std::nullopt;
  return natural_number(name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
}

bool is_stale_partial(std::string_view name) {
  const std::size_t place = name.find(partial);
  if (!name.starts_with(prefix) || place == std::string_view::npos) return false;
  const std::optional<std::int64_t> writer = natural_number(name.substr(place + partial.size()));
  if (!writer || *writer > std::numeric_limits<pid_t>::max()) return false;
  const auto pid = static_cast<pid_t>(*writer);
  return pid == ::getpid() || (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error))
    names.push_back(entries->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory)
    fail(ExitCode::usage, "cannot read the folder of checkpoints {}: {}", folder, error.message());
  return names;
}

void make(const std::string& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return;
  const std::string parent = folder_of(folder);
  if (parent != folder) make(parent);
  fs::create_directory(folder, error);
  if (error) fail(code_of_write(error.value()), "cannot make the folder {}: {}", folder, error.message());
  sync_folder(parent);
}

}  // namespace convoy::checkpoint_folder
