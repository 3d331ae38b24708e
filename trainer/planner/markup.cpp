#include "trainer/planner/markup.h"

namespace convoy {

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F)
          safe += c;
        else
          safe += c == '\n' || c == '\t' ? " " : "\xEF\xBF\xBD";
    }
  }
  return safe;
}

}  // namespace convoy
