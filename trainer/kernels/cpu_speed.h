#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "layers/graph/backend.h"
#include "trainer/planner/device_speed.h"
#include "trainer/planner/interconnect.h"

namespace convoy {

/// What was measured of this machine's processor, for predictions, with some number of threads in all.
struct CpuSpeed {
  std::optional<DeviceSpeed> speed;
  std::map<int, Link> links;  ///< between so many ranks that share this host

  std::string text(const std::string& conditions) const;
  /// Error(usage) that says what is wrong with a text that is none, or is of other conditions.
  static CpuSpeed parse(const std::string& text, const std::string& conditions);
  friend bool operator==(const CpuSpeed&, const CpuSpeed&);
};

/// The measured speeds of one kind of machine and number of threads, a file in a folder
/// (kernel_cache_folder). A cache that cannot be used is no reason to stop: it gives a warning.
class SpeedCache {
 public:
  /// Reads the file where there is one. An empty `folder` is a cache that holds nothing.
  SpeedCache(const std::string& folder, std::string conditions);

  const CpuSpeed& known() const { return known_; }
  const std::string& path() const { return path_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Writes the file, in one step.
  void put(const CpuSpeed& speed);

 private:
  std::string folder_;
  std::string conditions_;
  std::string path_;
  CpuSpeed known_;
  std::vector<std::string> warnings_;
};

/// Measures the processor by the backend's kernels with the calling thread's threads: convolutions with
/// windows of one and of 3×3 pixels in fp32, and in the half type where there is one; copies through memory
/// and within the caches; a kernel that has nothing to do. Takes about half a second; ends early when the
/// timer is late. nullopt when there is no memory for it.
std::optional<DeviceSpeed> measure_speed(Backend& backend, KernelTimer& timer);

/// Measures all-reduces of a small and of a large buffer; the same on every rank. All ranks must call it.
Link measure_link(Communicator& comm);

/// Measures what is not known yet of so many ranks on one host, for later predictions, and keeps it in the
/// cache in `folder` of rank 0. All ranks must call it; nothing happens without a folder, for one rank, or
/// where ranks are on several hosts. Each has `threads`. Warnings are for rank 0's log.
std::vector<std::string> remember_link(Communicator& comm, const std::string& folder, int threads);

}  // namespace convoy
