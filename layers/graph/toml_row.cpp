#include "layers/graph/toml_row.h"

#include <fmt/format.h>

#include "layers/core/text.h"

namespace convoy {

std::string toml_quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (code < 0x20 || code == 0x7F) {
      quoted += fmt::format("\\u{:04X}", code);
    } else {
      quoted += letter;
    }
  }
  return quoted + "\"";
}

std::string toml_text(std::int64_t value) { return fmt::format("{}", value); }
std::string toml_text(double value) { return fmt::format("{}", value); }
std::string toml_text(bool value) { return value ? "true" : "false"; }
std::string toml_text(std::string_view text) { return toml_quote(text); }

std::string toml_text(const std::pair<std::int64_t, std::int64_t>& value) {
  return value.first == value.second ? toml_text(value.first)
                                     : fmt::format("[{}, {}]", value.first, value.second);
}

std::string toml_text(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(toml_quote(text));
  return fmt::format("[{}]", join(quoted));
}

void TomlRow::add_text(std::string_view key, std::string_view toml) {
  keys_ += fmt::format("{}{} = {}", keys_.empty() ? "" : ", ", key, toml);
}

}  // namespace convoy
