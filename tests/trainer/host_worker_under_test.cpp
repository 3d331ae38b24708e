#include "tests/layers/cuda/host_backend.h"
#include "tests/trainer/worker_under_test.h"

namespace convoy::test {

Worker worker_under_test(Communicator& comm) {
  Worker worker;
  worker.device = std::make_unique<HostAsGpu>();
  worker.backend = make_host_backend(*worker.device);
  worker.libraries = "no libraries";
  worker.sharers = comm.local_size();
  worker.overhead_bytes = worker.taken_bytes = worker.device->used_bytes();
  return worker;
}

}  // namespace convoy::test
