#include "layers/core/error.h"

#include <algorithm>
#include <cerrno>
#include <initializer_list>

namespace convoy {

ExitCode code_of_write(int error) {
  const std::initializer_list<int> of_path{EACCES, EPERM, ENOENT, ENOTDIR, EISDIR,
                                           EEXIST, EROFS, ELOOP,  EINVAL,  ENAMETOOLONG};
  return std::find(of_path.begin(), of_path.end(), error) != of_path.end() ? ExitCode::usage
                                                                           : ExitCode::internal;
}

std::string SourceMark::prefix() const {
  if (file.empty()) return "";
  if (line == 0) return file + ": " + within;
  return fmt::format("{}:{}:{}: {}", file, line, column, within);
}

}  // namespace convoy
