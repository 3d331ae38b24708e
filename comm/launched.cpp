#include <cstdlib>

#include "comm/communicator.h"

namespace convoy {
namespace {

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

bool over_one(const char* variable) {
  const char* text = std::getenv(variable);
  return text != nullptr && std::strtol(text, nullptr, 10) > 1;
}

}  // namespace

bool launched_by_mpi() {
  // Open MPI's mpirun, and the PMI servers of MPICH, Intel MPI and srun --mpi=pmi2.
  if (over_one("OMPI_COMM_WORLD_SIZE") || over_one("PMI_SIZE") || over_one("MV2_COMM_WORLD_SIZE"))
    return true;
  // PMIx does not tell the size. srun does; SLURM_NTASKS alone is also set in a batch script outside any
  // srun.
  const bool has_rank = is_set("PMIX_RANK") || is_set("PMI_RANK");
  return has_rank && (over_one("SLURM_STEP_NUM_TASKS") || over_one("SLURM_NTASKS"));
}

}  // namespace convoy
