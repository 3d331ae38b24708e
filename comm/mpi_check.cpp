#include "comm/mpi_check.h"

#include <array>
#include <string>

#include "layers/core/error.h"
#include "layers/device/cpu/host.h"

namespace convoy {

void check_mpi(int code, const char* expression, const char* file, int line) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING + 1> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  int rank = -1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  fail(ExitCode::internal, "rank {} on {}: {} at {}:{} failed: {}", rank, host_name(), expression, file, line,
       text.data());
}

}  // namespace convoy
