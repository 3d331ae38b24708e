#pragma once

#include <string>
#include <string_view>

namespace convoy {

/// For a key that `section` of a job file does not have: " (did you mean \"batch\"?)", "; it belongs in
/// [train]", or the keys that the section has.
std::string suggest_in_file(std::string_view section, std::string_view name);

/// The same for the full name that `--set` was given: " (did you mean \"train.batch\"?)".
std::string suggest_full_name(std::string_view full_name);

/// For a section that there is not: " (did you mean [train]?)" or the sections that there are.
std::string suggest_section(std::string_view section);

}  // namespace convoy
