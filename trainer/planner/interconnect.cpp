#include "trainer/planner/interconnect.h"

#include <algorithm>
#include <bit>

namespace convoy {
namespace {

/// Of a ring's bandwidth, what a tree reaches: NCCL's tuning.cc.
constexpr double kTreeShare = 0.9;

double slowest(const Interconnect& links, std::int64_t ranks) {
  if (links.hosts(ranks) == 1) return links.inside.bytes_per_second;
  if (links.ranks_on_host(ranks) == 1) return links.between.bytes_per_second;
  return std::min(links.inside.bytes_per_second, links.between.bytes_per_second);
}

/// One phase in which each rank sends 1/n of the bytes to each other rank.
double pairs_phase(const Interconnect& links, std::int64_t ranks, double bytes) {
  const auto n = static_cast<double>(ranks);
  const auto m = static_cast<double>(links.ranks_on_host(ranks));
  const double inside = (m - 1) / n * bytes / links.inside.bytes_per_second;
  const double between = m * (n - m) / n * bytes / links.between.bytes_per_second;
  const double latency = links.hosts(ranks) > 1
                             ? std::max(links.between.latency_seconds, links.inside.latency_seconds)
                             : links.inside.latency_seconds;
  return latency + inside + between;
}

/// Half of a ring's all-reduce.
double ring_phase(const Interconnect& links, std::int64_t ranks, double bytes) {
  const auto n = static_cast<double>(ranks);
  const auto h = static_cast<double>(links.hosts(ranks));
  const double latency = (n - h) * links.inside.latency_seconds + (h - 1) * links.between.latency_seconds;
  return latency + (n - 1) / n * bytes / slowest(links, ranks);
}

}  // namespace

std::int64_t Interconnect::ranks_on_host(std::int64_t ranks) const {
  return ranks_per_host < 1 ? ranks : std::min(ranks, ranks_per_host);
}

std::int64_t Interconnect::hosts(std::int64_t ranks) const {
  const std::int64_t on_host = ranks_on_host(ranks);
  return (ranks + on_host - 1) / on_host;
}

double ring_seconds(const Interconnect& links, std::int64_t ranks, double bytes) {
  return ranks == 1 ? 0 : 2 * ring_phase(links, ranks, bytes);
}

double tree_seconds(const Interconnect& links, std::int64_t ranks, double bytes) {
  if (ranks == 1) return 0;
  const auto inside = static_cast<double>(links.ranks_on_host(ranks) - 1);
  const auto depth = static_cast<double>(std::bit_width(static_cast<std::uint64_t>(links.hosts(ranks) - 1)));
  return 2 * (inside * links.inside.latency_seconds + depth * links.between.latency_seconds) +
         2 * bytes / (kTreeShare * slowest(links, ranks));
}

double all_reduce_seconds(const Interconnect& links, std::int64_t ranks, double bytes) {
  if (ranks == 1) return 0;
  if (links.library == Interconnect::Library::pairs) return 2 * pairs_phase(links, ranks, bytes);
  return std::min(ring_seconds(links, ranks, bytes), tree_seconds(links, ranks, bytes));
}

double reduce_scatter_seconds(const Interconnect& links, std::int64_t ranks, double bytes) {
  if (ranks == 1) return 0;
  return links.library == Interconnect::Library::pairs ? pairs_phase(links, ranks, bytes)
                                                       : ring_phase(links, ranks, bytes);
}

double all_gather_seconds(const Interconnect& links, std::int64_t ranks, double bytes) {
  return reduce_scatter_seconds(links, ranks, bytes);
}

}  // namespace convoy
