#include "launch/job/keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "launch/job/section_keys.h"

namespace convoy {

const std::vector<Key>& job_keys() {
  static const std::vector<Key> keys = make_job_keys();
  return keys;
}

const std::vector<std::string>& job_sections() {
  static const std::vector<std::string> sections = [] {
    std::vector<std::string> names;
    for (const Key& key : job_keys()) {
      if (!key.section.empty() && (names.empty() || names.back() != key.section))
        names.push_back(key.section);
    }
    return names;
  }();
  return sections;
}

std::vector<std::string> key_names(std::string_view section) {
  std::vector<std::string> names;
  for (const Key& key : job_keys()) {
    if (key.section == section) names.push_back(key.name);
  }
  return names;
}

const Key* find_key(std::string_view section, std::string_view name) {
  const auto found = std::find_if(job_keys().begin(), job_keys().end(),
                                  [&](const Key& key) { return key.section == section && key.name == name; });
  return found == job_keys().end() ? nullptr : &*found;
}

std::string section_title(std::string_view section) {
  return section.empty() ? "job" : fmt::format("[{}]", section);
}

}  // namespace convoy
