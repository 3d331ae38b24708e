#include "comm/cpu_share.h"

namespace convoy {

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

void stay_on_share(int share, int shares) {
  const std::vector<int> cpus = allowed_cpus();
  const auto count = static_cast<int>(cpus.size());
  if (count < shares) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = count * share / shares; i < count * (share + 1) / shares; ++i) {
    CPU_SET(cpus[static_cast<std::size_t>(i)], &set);
  }
  sched_setaffinity(0, sizeof(set), &set);  // only a matter of speed: failing does no harm
}

}  // namespace convoy
