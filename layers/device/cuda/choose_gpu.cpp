#include "layers/device/cuda/choose_gpu.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "layers/core/error.h"

namespace convoy {
namespace {

/// A GPU of one host: host and id.
using Gpu = std::pair<std::string, std::string>;

/// Ranks and the GPUs that they take: a matching of as many as possible, by augmenting paths.
class Matching {
 public:
  explicit Matching(const std::vector<SeenGpus>& all) : all_(all), taken_(all.size(), -1) {
    std::map<std::string, std::size_t> ranks_of_host;
    for (const SeenGpus& seen : all_) {
      const std::size_t local = ranks_of_host[seen.host]++;
      usual_.push_back(seen.ids.empty() ? 0 : local % seen.ids.size());
    }
    for (std::size_t rank = 0; rank < all_.size(); ++rank) {
      std::set<Gpu> tried;
      give(rank, tried);
    }
  }
  /// By its place among those that the rank sees.
  std::size_t gpu(std::size_t rank) const {
    return taken_[rank] < 0 ? usual_[rank] : static_cast<std::size_t>(taken_[rank]);
  }

 private:
  /// A free one, or one whose rank can have another.
  bool give(std::size_t rank, std::set<Gpu>& tried) {
    const SeenGpus& seen = all_[rank];
    for (std::size_t i = 0; i < seen.ids.size(); ++i) {
      const std::size_t place = (usual_[rank] + i) % seen.ids.size();
      const Gpu gpu{seen.host, seen.ids[place]};
      if (!tried.insert(gpu).second) continue;
      const auto owner = owners_.find(gpu);
      if (owner != owners_.end() && !give(owner->second, tried)) continue;
      owners_[gpu] = rank;
      taken_[rank] = static_cast<int>(place);
      return true;
    }
    return false;
  }

  const std::vector<SeenGpus>& all_;
  std::vector<std::size_t> usual_;  ///< by a rank's number among those of its host
  std::vector<int> taken_;          ///< -1: none is left
  std::map<Gpu, std::size_t> owners_;
};

}  // namespace

std::string seen_gpus_text(const SeenGpus& seen) {
  std::string text = seen.host;
  for (const std::string& id : seen.ids) text += "\n" + id;
  return text;
}

SeenGpus seen_gpus_of(const std::string& text) {
  SeenGpus seen;
  std::istringstream lines(text);
  std::getline(lines, seen.host);
  for (std::string id; std::getline(lines, id);) seen.ids.push_back(id);
  return seen;
}

std::vector<int> gpus_of_ranks(const std::vector<SeenGpus>& all) {
  const Matching matching(all);
  std::vector<int> gpus;
  for (std::size_t rank = 0; rank < all.size(); ++rank) gpus.push_back(static_cast<int>(matching.gpu(rank)));
  return gpus;
}

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
