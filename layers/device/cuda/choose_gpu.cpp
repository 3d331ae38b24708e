#include "layers/device/cuda/choose_gpu.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "layers/core/error.h"

namespace convoy {
namespace {

/// A GPU of one host, by its UUID.
using Gpu = std::pair<std::string, std::string>;

/// Ranks and the GPUs that they take: a matching of as many as possible, by augmenting paths.
class Matching {
 public:
  explicit Matching(const std::vector<SeenGpus>& all) : all_(all) {
    std::map<std::string, std::size_t> ranks_of_host;
    for (const SeenGpus& seen : all_) {
      const std::size_t local = ranks_of_host[seen.host]++;
      usual_.push_back(seen.gpus.empty() ? 0 : local % seen.gpus.size());
    }
    taken_ = usual_;
    for (std::size_t rank = 0; rank < all_.size(); ++rank) {
      std::set<Gpu> tried;
      give(rank, tried);
    }
  }
  /// By its place among those that the rank sees.
  std::size_t place(std::size_t rank) const { return taken_[rank]; }
  const GpuId& gpu(std::size_t rank) const { return all_[rank].gpus.at(taken_[rank]); }

 private:
  /// A free one, or one whose rank can have another.
  bool give(std::size_t rank, std::set<Gpu>& tried) {
    const SeenGpus& seen = all_[rank];
    for (std::size_t i = 0; i < seen.gpus.size(); ++i) {
      const std::size_t place = (usual_[rank] + i) % seen.gpus.size();
      const Gpu gpu{seen.host, seen.gpus[place].uuid};
      if (!tried.insert(gpu).second) continue;
      const auto owner = owners_.find(gpu);
      if (owner != owners_.end() && !give(owner->second, tried)) continue;
      owners_[gpu] = rank;
      taken_[rank] = place;
      return true;
    }
    return false;
  }

  const std::vector<SeenGpus>& all_;
  std::vector<std::size_t> usual_;  ///< by a rank's number among those of its host
  std::vector<std::size_t> taken_;  ///< the usual one, too, where none is left
  std::map<Gpu, std::size_t> owners_;
};

}  // namespace

std::string seen_gpus_text(const SeenGpus& seen) {
  std::string text = seen.host;
  for (const GpuId& gpu : seen.gpus) text += "\n" + gpu.bus + " " + gpu.uuid;
  return text;
}

SeenGpus seen_gpus_of(const std::string& text) {
  SeenGpus seen;
  std::istringstream lines(text);
  std::getline(lines, seen.host);
  for (GpuId gpu; lines >> gpu.bus >> gpu.uuid;) seen.gpus.push_back(gpu);
  return seen;
}

TakenGpu take_gpu(const std::vector<SeenGpus>& all, int rank, bool shared) {
  const Matching matching(all);
  std::vector<std::string> buses;
  std::vector<std::string> claims;
  for (std::size_t r = 0; r < all.size(); ++r) {
    const GpuId& gpu = matching.gpu(r);
    buses.push_back(fmt::format("{} GPU {}", all[r].host, gpu.bus));
    claims.push_back(fmt::format("{} ({})", buses.back(), gpu.uuid));
    const auto first = std::find(claims.begin(), claims.end(), claims[r]) - claims.begin();
    if (shared || first == static_cast<std::ptrdiff_t>(r)) continue;
    fail(ExitCode::usage,
         "rank {} has no GPU of its own: rank {} has taken {}, and there is no other that it sees; start "
         "fewer "
         "ranks on that host, use device = \"cpu\", or let ranks share with share_gpus = true",
         r, first, claims[r]);
  }
  const auto mine = static_cast<std::size_t>(rank);
  TakenGpu taken;
  taken.index = static_cast<int>(matching.place(mine));
  taken.sharers = static_cast<int>(std::count(claims.begin(), claims.end(), claims[mine]));
  taken.is_divided = std::count(buses.begin(), buses.end(), buses[mine]) > taken.sharers;
  return taken;
}

}  // namespace convoy
