#include "launch/job/places.h"

#include "launch/job/keys.h"
#include "layers/core/error.h"

namespace convoy {

std::string Places::prefix(const std::string& full_name) const {
  const auto found = prefixes_.find(full_name);
  return found == prefixes_.end() ? file_ + ": " : found->second;
}

void Places::refuse(std::string_view section, std::string_view name, const std::string& message) const {
  const std::string full_name = section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
  fail(ExitCode::usage, "{}{}: key \"{}\": {}", prefix(full_name), section_title(section), name, message);
}

}  // namespace convoy
