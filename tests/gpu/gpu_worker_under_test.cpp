#include "tests/trainer/worker_under_test.h"

namespace convoy::test {

Worker worker_under_test(Communicator& comm) {
  Job job;
  job.device = "cuda";
  job.share_gpus = true;
  return make_cuda_worker(job, comm);
}

}  // namespace convoy::test
