#include "layers/core/error.h"

namespace convoy {

std::string SourceMark::prefix() const {
  if (file.empty()) return "";
  if (line == 0) return file + ": " + within;
  return fmt::format("{}:{}:{}: {}", file, line, column, within);
}

}  // namespace convoy
