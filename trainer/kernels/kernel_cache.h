#pragma once

#include <string>
#include <vector>

#include "trainer/kernels/trials_json.h"

namespace convoy {

/// Where trials are kept from one run to the next: $CONVOY_CACHE, or `convoy` in $XDG_CACHE_HOME or in
/// .cache of the home folder. "" where none of these is set.
std::string kernel_cache_folder();

/// The name of the cache's file of a kind ("kernels", "speed") for conditions:
/// "kernels-onednn-2.6.3-....json".
std::string cache_file_name(const std::string& kind, const std::string& conditions);

/// The table of one kind of machine and number of threads, a file in a folder. A cache that cannot be used is
/// no reason to stop: it gives a warning, and what it would have held is measured anew.
class KernelCache {
 public:
  /// Reads the file where there is one. An empty `folder` is a cache that holds nothing.
  KernelCache(const std::string& folder, const std::string& conditions);

  const KernelTrials& trials() const { return table_.trials; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  const std::string& path() const { return path_; }

  /// Adds to the file, in one step; what another process wrote meanwhile stays.
  void add(const KernelTrials& trials);

 private:
  void read();

  std::string folder_;
  std::string path_;
  KernelTable table_;
  std::vector<std::string> warnings_;
};

/// The trials in a file like it, whatever their conditions. Error(usage) that names the file.
KernelTable read_kernel_table(const std::string& path);

}  // namespace convoy
