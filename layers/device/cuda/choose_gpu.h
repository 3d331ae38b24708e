#pragma once

#include <string>
#include <vector>

namespace convoy {

/// What a rank tells the others of the GPUs that CUDA shows it, in CUDA's order.
struct SeenGpus {
  std::string host;
  std::vector<std::string>
      ids;  ///< one for each, the same for all processes that see it: "0000:17:00 GPU-1f3a..."
};

/// As a text, for Communicator::gather_strings, and back.
std::string seen_gpus_text(const SeenGpus& seen);
SeenGpus seen_gpus_of(const std::string& text);

/// The GPU that each rank takes, by its place in ids; 0 where it sees none. `all` are those of all ranks.
/// Each rank takes the one of its number among the ranks of its host, or where that is taken another one that
/// it sees. Launchers may show each rank a GPU of its own, or each socket's ranks those of the socket: where
/// all can have one of their own they do. The others share the one of their number.
std::vector<int> gpus_of_ranks(const std::vector<SeenGpus>& all);

/// Ranks that take the same GPU as rank `rank`, itself counted. `claims` are all ranks' hosts and GPUs as
/// "host GPU id". Without `shared` more than one is Error(usage), which every rank throws.
int ranks_on_gpu(const std::vector<std::string>& claims, int rank, bool shared);

}  // namespace convoy
