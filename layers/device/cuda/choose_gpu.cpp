#include "layers/device/cuda/choose_gpu.h"

#include <algorithm>

#include "layers/core/error.h"

namespace convoy {

int gpu_of_rank(int gpus, int local_rank) { return gpus < 1 ? 0 : local_rank % gpus; }

int ranks_on_gpu(const std::vector<std::string>& claims, int rank, bool shared) {
  for (std::size_t r = 0; r < claims.size() && !shared; ++r) {
    const auto first = std::find(claims.begin(), claims.end(), claims[r]) - claims.begin();
    if (first == static_cast<std::ptrdiff_t>(r)) continue;
    fail(ExitCode::usage,
         "rank {} has no GPU of its own: rank {} has taken {}; start fewer ranks on that host, use device = "
         "\"cpu\", "
         "or let ranks share with share_gpus = true",
         r, first, claims[r]);
  }
  return static_cast<int>(std::count(claims.begin(), claims.end(), claims[static_cast<std::size_t>(rank)]));
}

}  // namespace convoy
