#pragma once

#include <string>
#include <vector>

namespace convoy {

/// The GPU that a rank takes first: of `gpus` that it sees, by its number among the ranks of its host.
/// Launchers that show each rank a GPU of its own show one.
int gpu_of_rank(int gpus, int local_rank);

/// Ranks that take the same GPU as rank `rank`, itself counted. `claims` are all ranks' hosts and GPUs as
/// "host bus-id". Without `shared` more than one is Error(usage), which every rank throws.
int ranks_on_gpu(const std::vector<std::string>& claims, int rank, bool shared);

}  // namespace convoy
