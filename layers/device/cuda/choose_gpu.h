#pragma once

#include <string>
#include <vector>

namespace convoy {

/// What tells a GPU from all others, for every process that sees it.
struct GpuId {
  std::string bus;  ///< its place on the PCI bus: "0000:17:00"
  std::string
      uuid;  ///< as nvidia-smi -L has it, without "GPU-"; each part of a divided GPU (MIG) has its own
};

/// The GPUs that CUDA shows a rank, in CUDA's order.
struct SeenGpus {
  std::string host;
  std::vector<GpuId> gpus;
};

/// As a text, for Communicator::gather_strings, and back.
std::string seen_gpus_text(const SeenGpus& seen);
SeenGpus seen_gpus_of(const std::string& text);

/// The GPU that a rank has taken.
struct TakenGpu {
  int index = 0;            ///< among those that it sees
  int sharers = 1;          ///< ranks that have taken it, this one counted
  bool is_divided = false;  ///< other ranks have other parts of the same GPU (MIG)
};

/// What rank `rank` takes, of what `all` ranks see: the GPU of its number among the ranks of its host, or
/// where that is taken another one that it sees. Launchers may show each rank a GPU of its own, or each
/// socket's ranks those of the socket: where all can have one of their own they do. Without `shared`
/// Error(usage), which every rank throws, when one has none of its own; with it that one takes the GPU of its
/// number.
TakenGpu take_gpu(const std::vector<SeenGpus>& all, int rank, bool shared);

}  // namespace convoy
