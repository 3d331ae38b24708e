#include "trainer/data/printable.h"

#include <fmt/format.h>

#include <cstddef>

namespace convoy {
namespace {

/// Bytes of the character of UTF-8 (RFC 3629) that `text` begins with, where it can be shown; 0: it cannot,
/// or it is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return byte(0) >= 0x20 && byte(0) != 0x7F ? 1 : 0;
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return 0;
  char32_t code = byte(0) & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr char32_t kFirst[] = {0xA0, 0x800,
                                 0x10000};  // below that: control characters, or written too long
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  return code >= kFirst[length - 2] && code < 0x110000 && !is_surrogate ? length : 0;
}

}  // namespace

std::string printable(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const std::size_t length = character_length(name);
    if (length > 0) {
      text += name.substr(0, length);
    } else if (name[0] == '\n') {
      text += "\\n";
    } else if (name[0] == '\t') {
      text += "\\t";
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(name[0]));
    }
    name.remove_prefix(length > 0 ? length : 1);
  }
  return text;
}

}  // namespace convoy
