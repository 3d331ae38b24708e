#pragma once

#include <mpi.h>

namespace convoy {

/// Throws Error(internal) with rank, host, the expression, its place and MPI's own text for `code`.
void check_mpi(int code, const char* expression, const char* file, int line);

}  // namespace convoy

/// Calls MPI and throws when it fails. Only in the communication thread.
#define CONVOY_MPI(expression) ::convoy::check_mpi((expression), #expression, __FILE__, __LINE__)
