#include "trainer/worker.h"

#include "layers/core/error.h"
#include "layers/device/cpu/cpu_device.h"

namespace convoy {
namespace {

bool every_rank_has_gpu(Communicator& comm) {
  const std::int64_t mine = cuda_problem().empty() ? 1 : 0;
  return comm.all_reduce(mine, Reduction::min, "GPUs") == 1;
}

}  // namespace

Worker make_worker(const Job& job, Communicator& comm) {
  if (job.device == "cuda" || (job.device == "auto" && every_rank_has_gpu(comm)))
    return make_cuda_worker(job, comm);
  Worker worker;
  worker.device = std::make_unique<CpuDevice>();
  worker.sharers = comm.local_size();
  return worker;
}

}  // namespace convoy
