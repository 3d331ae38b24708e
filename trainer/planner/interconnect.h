#pragma once

#include <cstdint>

namespace convoy {

/// A message of n bytes takes latency + n / bytes_per_second, in one direction: the alpha-beta model of
/// Hockney (1994).
struct Link {
  double latency_seconds = 0;
  double bytes_per_second = 1e30;
};

/// What joins the ranks of a job, and who moves the gradients.
struct Interconnect {
  enum class Library : std::uint8_t {
    nccl,   ///< rings, and double binary trees; beside the kernels
    pairs,  ///< Convoy's own over MPI: everyone to everyone; takes the cores from the kernels
  };
  Library library = Library::pairs;
  Link inside;                       ///< between ranks of one host
  Link between;                      ///< between hosts: all adapters of a host together
  std::int64_t ranks_per_host = -1;  ///< hosts are filled one after the other; -1: there is one host

  std::int64_t ranks_on_host(std::int64_t ranks) const;  ///< of the fullest host
  std::int64_t hosts(std::int64_t ranks) const;
  /// Whether collectives go on while kernels run.
  bool overlaps() const { return library == Library::nccl; }
};

// Seconds of collectives over `bytes` on each of `ranks` ranks; 0 for one rank. With rings as NCCL's
// tuning.cc counts them: of 2(n-1) steps 2(h-1) go between the h hosts, the rest inside; the slowest link
// gives the bandwidth, of which a byte of the data takes 2(n-1)/n. So the bus bandwidth of nccl-tests, bytes
// / seconds · 2(n-1)/n, comes to that of the link for many bytes.

/// The better of ring and tree on NCCL; two phases of messages from everyone to everyone on `pairs`, where
/// the ranks of a host share its adapter.
double all_reduce_seconds(const Interconnect& links, std::int64_t ranks, double bytes);
/// Half of an all-reduce: what all hold is added up, and each keeps its part; each gives its part to all.
double reduce_scatter_seconds(const Interconnect& links, std::int64_t ranks, double bytes);
double all_gather_seconds(const Interconnect& links, std::int64_t ranks, double bytes);

/// 2(n-1) steps, each byte of the data 2(n-1)/n times over the slowest link.
double ring_seconds(const Interconnect& links, std::int64_t ranks, double bytes);
/// NCCL's double binary tree between the hosts with chains inside (Sanders, Speck, Träff 2009): up and down
/// 2 log2(h) steps between hosts and 2(n/h - 1) inside. Each rank takes and gives all bytes twice, once on
/// the way up and once down; NCCL counts on nine tenths of the ring's bandwidth.
double tree_seconds(const Interconnect& links, std::int64_t ranks, double bytes);

}  // namespace convoy
