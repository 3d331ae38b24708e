#include "trainer/resume_changes.h"

#include <fmt/format.h>

#include <map>
#include <sstream>

#include "layers/graph/toml_table.h"

namespace convoy {
namespace {

using Keys = std::map<std::string, std::string>;

std::string text_of(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  return out.str();
}

Keys keys_of(const toml::table& table, const std::string& section) {
  Keys keys;
  for (const auto& [key, node] : table) {
    const std::string name = section + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      keys.merge(keys_of(*inner, name + "."));
    } else if (name != "network") {
      keys.emplace(name, text_of(node));
    }
  }
  return keys;
}

/// The lines below the name; it says nothing about what is computed.
std::vector<std::string> lines_below_name(const std::string& network) {
  std::istringstream text(network);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    const auto start = line.find_first_not_of(' ');
    if (start != std::string::npos && !line.starts_with("name =")) lines.push_back(line.substr(start));
  }
  return lines;
}

}  // namespace

std::vector<std::string> job_changes(const std::string& before, const std::string& now) try {
  const Keys old = keys_of(parse_toml_text(before, "job of the checkpoint"), "");
  std::vector<std::string> changes;
  for (const auto& [key, value] : keys_of(parse_toml_text(now, "job"), "")) {
    const auto found = old.find(key);
    if (found != old.end() && found->second != value)
      changes.push_back(fmt::format("{}: {} -> {}", key, found->second, value));
  }
  return changes;
} catch (const Error&) {
  return {};
}

std::vector<std::string> network_changes(const std::string& before, const std::string& now) {
  const std::vector<std::string> old = lines_below_name(before);
  const std::vector<std::string> present = lines_below_name(now);
  for (std::size_t i = 0; i < std::min(old.size(), present.size()); ++i) {
    if (old[i] != present[i]) return {fmt::format("network: {} -> {}", old[i], present[i])};
  }
  if (old.size() != present.size())
    return {fmt::format("network: {} layers -> {}", old.size() - 3, present.size() - 3)};
  return {};
}

}  // namespace convoy
