#pragma once

#include <string>
#include <vector>

namespace convoy {

std::string host_name();

/// The process that started `process`, or 0 when that cannot be told.
int parent_of(int process);

/// Numbers of the cores that a process may run on (0: this one), rising. Empty when it cannot be asked.
std::vector<int> allowed_cores(int process = 0);

/// Every thread of this process runs on `cores` from now on, and those that they start. A system that refuses
/// is no reason to stop: false.
bool bind_to_cores(const std::vector<int>& cores);

/// One rank's claim: its host, and the cores that it may use there.
struct CoreClaim {
  std::string host;
  std::vector<int> cores;

  std::string text() const;  ///< "host 0,1,2", for sending
  static CoreClaim parse(const std::string& text);
};

/// The cores that rank `rank` gets when all ranks that claim the same cores of one host divide them evenly,
/// in the order of the ranks: neighbouring cores, all of them used, at least one each.
std::vector<int> share_of_cores(const std::vector<CoreClaim>& claims, std::size_t rank);

}  // namespace convoy
