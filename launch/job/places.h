#pragma once

#include <map>
#include <string>
#include <string_view>

namespace convoy {

/// Where each key of a job was set, so that a check that looks at several keys can still name a place.
class Places {
 public:
  explicit Places(std::string file) : file_(std::move(file)) {}

  /// `prefix` is "file:line:column: " or "--set \"key=value\": ".
  void put(const std::string& full_name, std::string prefix) { prefixes_[full_name] = std::move(prefix); }

  /// Whether that key was set.
  bool has(const std::string& full_name) const { return prefixes_.contains(full_name); }

  /// The prefix of that key, or "file: " if it was not set.
  std::string prefix(const std::string& full_name) const;

  /// Throws Error(usage): "<place>[section]: key \"name\": message".
  [[noreturn]] void refuse(std::string_view section, std::string_view name, const std::string& message) const;

 private:
  std::string file_;
  std::map<std::string, std::string> prefixes_;
};

}  // namespace convoy
