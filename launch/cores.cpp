#include "launch/cores.h"

#include <unistd.h>

#include <cstdlib>

#include "layers/device/cpu/host.h"

namespace convoy {
namespace {

bool has(const char* variable) { return std::getenv(variable) != nullptr; }

/// Whether Open MPI bound this process by its own default, and not because someone asked for it.
bool bound_by_default() {
  return has("OMPI_MCA_orte_bound_at_launch") && !has("OMPI_MCA_hwloc_base_binding_policy") &&
         !has("OMPI_MCA_rmaps_base_mapping_policy");
}

}  // namespace

void share_cores(Communicator& comm) {
  if (comm.size() == 1 && !bound_by_default()) return;
  CoreClaim mine{host_name(), allowed_cores()};
  // This process was started by its supervisor, and that by the launcher, which has all that it was given.
  if (bound_by_default()) {
    if (std::vector<int> wider = allowed_cores(parent_of(getppid())); wider.size() > mine.cores.size())
      mine.cores = std::move(wider);
  }
  std::vector<CoreClaim> claims;
  for (const std::string& text : comm.gather_strings(mine.text(), "cores of the ranks"))
    claims.push_back(CoreClaim::parse(text));
  bind_to_cores(share_of_cores(claims, static_cast<std::size_t>(comm.rank())));
}

}  // namespace convoy
