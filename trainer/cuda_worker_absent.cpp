#include "layers/core/error.h"
#include "layers/device/cuda/cuda_devices.h"
#include "trainer/worker.h"

namespace convoy {

std::string cuda_problem() { return "CUDA is " + list_cuda_devices().status; }

Worker make_cuda_worker(const Job&, Communicator&) {
  fail(ExitCode::usage, "device = \"cuda\": {}; use device = \"cpu\"", cuda_problem());
}

}  // namespace convoy
