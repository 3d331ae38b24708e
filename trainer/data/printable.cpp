#include "trainer/data/printable.h"

#include <fmt/format.h>

namespace convoy {

std::string printable(std::string_view name) {
  std::string text;
  for (const char letter : name) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '\n') {
      text += "\\n";
    } else if (letter == '\t') {
      text += "\\t";
    } else if (code < 0x20 || code == 0x7F) {
      text += fmt::format("\\x{:02x}", code);
    } else {
      text += letter;
    }
  }
  return text;
}

}  // namespace convoy
