#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layers/core/error.h"
#include "layers/graph/toml.h"

namespace convoy {

class Scope;

/// Parses a TOML file or text; a syntax error or a file that cannot be read throws Error(usage) with its
/// place.
toml::table parse_toml_file(const std::string& path);
toml::table parse_toml_text(std::string_view text, const std::string& file_name);

/// Where a node stands, for messages.
SourceMark mark_of(const toml::node& node, const std::string& file);

/// "an integer", "a table": the type of a node, for messages.
std::string_view type_word(const toml::node& node);

/// One table being read. Each getter marks its key as known; `finish` refuses every key that nobody asked for
/// and names the nearest known one. All errors are Error(usage) with file, line, column and key.
class TomlTable {
 public:
  /// `what` names the table in messages: "layer conv1", "[train]".
  /// With a `scope`, formulas in the values are computed as they are read, and messages name the block's use.
  TomlTable(const toml::table& table, std::string file, std::string what, const Scope* scope = nullptr);
  /// The table that is the value of `key` here.
  TomlTable inner(std::string_view key, const toml::table& table) const;

  bool has(std::string_view key) const { return table_.contains(key); }
  SourceMark mark() const { return mark_of(table_.source()); }
  SourceMark mark(std::string_view key) const;
  const std::string& file() const { return file_; }
  const std::string& what() const { return what_; }

  /// A key that nobody asked for and that may be a misspelt `key`, or "".
  std::string nearest_unknown(std::string_view key) const;

  /// The node of a key (marked known), or null. It lives as long as the file and this table.
  const toml::node* node(std::string_view key);

  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::string> string(std::string_view key);
  std::optional<std::string> word(std::string_view key, const std::vector<std::string>& allowed);
  std::optional<std::vector<std::string>> strings(std::string_view key);
  std::optional<std::vector<double>> numbers(std::string_view key, double least, double most);
  /// One integer, or [height, width].
  std::optional<std::pair<std::int64_t, std::int64_t>> pair(std::string_view key, std::int64_t least,
                                                            std::int64_t most);

  /// Refuses keys that were never asked for.
  void finish() const;

  /// Throws "file:line:column: <what>: key "k": message".
  [[noreturn]] void refuse(std::string_view key, const std::string& message) const;

 private:
  SourceMark mark_of(const toml::source_region& region) const;

  const toml::table& table_;
  std::string file_;
  std::string what_;
  const Scope* scope_;
  std::set<std::string, std::less<>> known_;
  std::map<std::string, toml::array, std::less<>> computed_;  ///< values of formulas, each alone in an array
};

}  // namespace convoy
