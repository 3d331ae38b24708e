#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy {

/// `text` as a basic string of TOML, quotes included.
std::string toml_quote(std::string_view text);

// Values as TOML has them; a number in the shortest form that reads back to the same bits, a pair of equal
// numbers as one.
std::string toml_text(std::int64_t value);
std::string toml_text(double value);
std::string toml_text(bool value);
std::string toml_text(std::string_view text);
std::string toml_text(const std::pair<std::int64_t, std::int64_t>& value);
std::string toml_text(const std::vector<std::string>& texts);

/// An inline table of TOML being written: "{ name = \"conv1\", outputs = 20 }".
class TomlRow {
 public:
  /// Adds a key; with a third argument only where the value differs from it, the reader's default.
  template <class T>
  void add(std::string_view key, const T& value) {
    add_text(key, toml_text(value));
  }
  template <class T>
  void add(std::string_view key, const T& value, const T& otherwise) {
    if (value != otherwise) add(key, value);
  }
  /// The same with a value that is TOML already.
  void add_text(std::string_view key, std::string_view toml);

  std::string text() const { return "{ " + keys_ + " }"; }

 private:
  std::string keys_;
};

}  // namespace convoy
