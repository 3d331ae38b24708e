#include "tests/trainer/fake_gpu_worker.h"
#include "tests/trainer/worker_under_test.h"

namespace convoy::test {

Worker worker_under_test(Communicator& comm) { return fake_gpu_worker(comm, true); }

}  // namespace convoy::test
