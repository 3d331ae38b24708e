#pragma once

#include <memory>

#include "layers/graph/backend.h"

namespace convoy {

/// Layers on the processor by oneDNN. All memory that kernels use is given to them; oneDNN's scratchpads too.
/// Convolutions run as `choices` say, and by rules of thumb where these say nothing.
std::unique_ptr<Backend> make_cpu_backend(KernelChoices choices = {});

/// Threads that the calling thread's kernels use from now on. Error(usage) for more than 32 for each core
/// that the process may use: more threads than cores are only slower, and each takes some MiB.
void set_cpu_threads(int threads);

/// "oneDNN 2.6.3".
std::string cpu_library_version();

/// What the speed of kernels depends on beside the problem: "oneDNN 2.6.3 with instruction set 0x1ff,
/// Intel(R) Xeon(R) Processor, 2 threads"; 0: the threads of the calling thread's kernels.
std::string cpu_kernel_conditions(int threads = 0);

}  // namespace convoy
