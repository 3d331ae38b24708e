#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace convoy {

/// Exit codes of the program; each Error carries the one it ends the process with.
enum class ExitCode : int {
  done = 0,
  internal = 1,      ///< a fault of Convoy itself, of a library, or of a disk (full, broken)
  usage = 2,         ///< wrong usage, a wrong network, job or checkpoint file, a path that cannot be written
  does_not_fit = 3,  ///< no allowed plan fits the memory limit
  data = 4,          ///< a data set is missing, broken or out of range
  lost_rank = 5,     ///< a rank was lost or is stuck
  diverged = 6,      ///< the loss is not finite
  stopped = 75,      ///< stopped on request, with a checkpoint; run the same command again
};

/// Every failure that a user can meet. `what()` is the whole message: what, where, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Throws Error(code, fmt::format(format, arguments...)).
template <class... Arguments>
[[noreturn]] void fail(ExitCode code, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw Error(code, fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// What a file or folder that cannot be written ends the program with, by the system's error (errno): usage
/// where the path is to blame (no such folder, no permission), internal where the disk is (full, broken).
ExitCode code_of_write(int error);

/// A place in a text file; line and column count from 1, 0 means unknown.
struct SourceMark {
  std::string file;
  int line = 0;
  int column = 0;
  std::string within{};  ///< what the place belongs to: "block \"inception\", used at line 12: "

  /// "file:line:column: within", without the parts that are unknown.
  std::string prefix() const;
};

}  // namespace convoy
