#include "comm/nccl/nccl.h"
#include "layers/core/error.h"

namespace convoy {

std::string nccl_problem() { return "this build has no NCCL"; }

std::unique_ptr<DeviceCollectives> make_nccl_collectives(CudaDevice&, Communicator&, const NcclOptions&) {
  fail(ExitCode::usage, "{}", nccl_problem());
}

}  // namespace convoy
