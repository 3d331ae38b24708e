#pragma once

#include <memory>

#include "layers/graph/backend.h"

namespace convoy {

/// Layers on the processor by oneDNN. All memory that kernels use is given to them; oneDNN's scratchpads too.
std::unique_ptr<Backend> make_cpu_backend();

/// Threads that the calling thread's kernels use from now on.
void set_cpu_threads(int threads);

/// "oneDNN 2.6.3 (avx512_core_bf16)".
std::string cpu_library_version();

}  // namespace convoy
