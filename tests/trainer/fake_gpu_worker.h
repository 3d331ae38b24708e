#pragma once

#include "trainer/worker.h"

namespace convoy::test {

/// A GPU that is the processor behind CUDA's calls (fake_cuda), of its own for each of four ranks, with NCCL
/// that is threads (fake_nccl), or without.
Worker fake_gpu_worker(Communicator& comm, bool nccl);

}  // namespace convoy::test
