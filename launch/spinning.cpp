#include "launch/spinning.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace convoy {
namespace {

/// Rounds of waiting before a thread sleeps. LeNet's step of 8 ms, with some forty parallel loops, is as fast
/// as with libgomp's own choice when the cores are free, and at least 1.5 times as fast when they are not.
constexpr const char* kRounds = "3000";

}  // namespace

void limit_spinning(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  if (setenv("GOMP_SPINCOUNT", kRounds, 1) != 0) return;
  std::error_code problem;  // by its path, so that the process keeps its name
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", problem);
  if (!problem) execv(program.c_str(), argv);  // comes back only when it fails; then it runs as it is
}

}  // namespace convoy
