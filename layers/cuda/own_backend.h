#pragma once

#include <memory>

#include "layers/cuda/lower.h"

namespace CONVOY_CUDA_NAMESPACE {

/// The Backend of the kernels of this room, in `queue` of `device`; see make_cuda_backend for what users get.
/// It takes own_backend_bytes() of the device, and no more after that. `libraries` may be null: then our own
/// loops do everything. Kernels do not outlive it.
std::unique_ptr<Backend> make_own_backend(Device& device, Queue queue, std::unique_ptr<Libraries> libraries,
                                          std::string name);

/// Bytes that the backend takes of its device beside the arena.
std::int64_t own_backend_bytes();

}  // namespace CONVOY_CUDA_NAMESPACE
