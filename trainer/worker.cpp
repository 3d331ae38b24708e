#include "trainer/worker.h"

#include "layers/device/cpu/cpu_device.h"

namespace convoy {

Worker make_worker(const Job& job, Communicator& comm) {
  // "auto" is the processor until the GPU worker has been seen to run on a GPU.
  if (job.device == "cuda") return make_cuda_worker(job, comm);
  Worker worker;
  worker.device = std::make_unique<CpuDevice>();
  worker.sharers = comm.local_size();
  return worker;
}

}  // namespace convoy
