#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::checkpoint_folder {

/// "step-000000123.safetensors".
std::string file_name(std::int64_t step);

/// The step of such a file name, with any number of digits; nullopt for other names.
std::optional<std::int64_t> step_of(std::string_view name);

/// The number in decimal digits that the whole text is, or nullopt.
std::optional<std::int64_t> natural_number(std::string_view text);

/// Whether a file is the partial checkpoint of a process that is gone, or of an earlier save of this process.
/// A process of another host that shares the folder counts as gone: a folder has one process that saves.
bool is_stale_partial(std::string_view name);

/// Names of the files in a folder; none when there is no such folder. Throws Error(usage).
std::vector<std::string> names_in(const std::string& folder);

/// Makes a folder and those above it, durably, where they are missing. Throws Error(internal).
void make(const std::string& folder);

}  // namespace convoy::checkpoint_folder
