#include "layers/device/cpu/host.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace convoy {

std::string host_name() {
  char name[256] = "?";
  gethostname(name, sizeof name - 1);
  return name;
}

int parent_of(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string word; file >> word;) {
    if (int parent = 0; word == "PPid:" && file >> parent) return parent;
  }
  return 0;
}

std::vector<int> allowed_cores(int process) {
  cpu_set_t mask;
  std::vector<int> cores;
  if (sched_getaffinity(process, sizeof mask, &mask) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &mask)) cores.push_back(core);
  }
  return cores;
}

bool bind_to_cores(const std::vector<int>& cores) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int core : cores) {
    if (core >= 0 && core < CPU_SETSIZE) CPU_SET(core, &mask);
  }
  bool bound = true;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", problem)) {
    const int thread = std::atoi(entry.path().filename().c_str());
    bound = sched_setaffinity(thread, sizeof mask, &mask) == 0 && bound;
  }
  return bound && !problem;
}

std::string CoreClaim::text() const {
  std::string list = host + " ";
  for (const int core : cores) list += std::to_string(core) + ",";
  return list;
}

CoreClaim CoreClaim::parse(const std::string& text) {
  CoreClaim claim;
  std::istringstream words(text);
  words >> claim.host;
  for (std::string core; std::getline(words >> std::ws, core, ',');) claim.cores.push_back(std::stoi(core));
  return claim;
}

std::vector<int> share_of_cores(const std::vector<CoreClaim>& claims, std::size_t rank) {
  const CoreClaim& mine = claims[rank];
  std::size_t sharers = 0;
  std::size_t place = 0;
  for (std::size_t r = 0; r < claims.size(); ++r) {
    if (claims[r].host != mine.host || claims[r].cores != mine.cores) continue;
    if (r < rank) ++place;
    ++sharers;
  }
  const std::size_t cores = mine.cores.size();
  if (cores <= sharers) return cores == 0 ? mine.cores : std::vector<int>{mine.cores[place % cores]};
  const auto at = [&](std::size_t i) {
    return mine.cores.begin() + static_cast<std::ptrdiff_t>(cores * i / sharers);
  };
  return {at(place), at(place + 1)};
}

}  // namespace convoy
