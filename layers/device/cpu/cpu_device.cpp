#include "layers/device/cpu/cpu_device.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "layers/device/cpu/host.h"

namespace convoy {
namespace {

/// The value of a line "key : value" of a file under /proc, or "".
std::string proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

std::int64_t memory_figure(const std::string& key) {
  const std::string text = proc_value("/proc/meminfo", key);
  return text.empty() ? 0 : std::stoll(text) * 1024;
}

/// The least limit of this process's control groups (version 2, then 1), or 0 without one.
std::int64_t container_limit() {
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    std::int64_t bytes = 0;
    if (file >> bytes && bytes > 0) return bytes;
  }
  return 0;
}

/// What could be had now on the machine and in its container; 0 when that cannot be told.
std::int64_t free_memory() {
  const std::int64_t machine = memory_figure("MemAvailable");
  const std::int64_t container = container_limit();
  return container > 0 ? std::min(machine, container) : machine;
}

/// What the limits of this process (ulimit -v, -d) leave for arenas, at least 1; 0 where there is none. Part
/// of it goes to what is to come beside arenas: stacks and heaps of threads, mostly addresses.
std::int64_t left_for_process() {
  constexpr std::int64_t kBeside = 256 << 20;
  std::int64_t left = 0;
  const auto bound = [&](auto resource, const char* used) {
    rlimit limit{};
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    const std::string text = proc_value("/proc/self/status", used);
    const std::int64_t taken = text.empty() ? 0 : std::stoll(text) * 1024;
    const std::int64_t rest = std::max<std::int64_t>(
        static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, 1LL << 62)) - taken - kBeside, 1);
    left = left == 0 ? rest : std::min(left, rest);
  };
  bound(RLIMIT_AS, "VmSize");
  bound(RLIMIT_DATA, "VmData");
  return left;
}

}  // namespace

int usable_cores(int ranks) {
  const std::vector<int> allowed = allowed_cores();
  int cores =
      allowed.empty() ? static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) : static_cast<int>(allowed.size());
  std::ifstream quota_file("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (quota_file >> quota >> period && period > 0) {
    cores = std::min(cores, static_cast<int>((quota + period - 1) / period) / ranks);
  }
  return std::max(1, cores);
}

DeviceInfo CpuDevice::info() const {
  DeviceInfo info;
  info.kind = "cpu";
  info.name = proc_value("/proc/cpuinfo", "model name");
  info.memory_bytes = memory_figure("MemTotal");
  info.free_bytes = free_memory();
  info.process_bytes = left_for_process();
  if (const std::int64_t container = container_limit(); container > 0)
    info.memory_bytes = std::min(info.memory_bytes, container);
  if (limit_ > 0) info.free_bytes = std::min(info.free_bytes, limit_ - used_bytes());
  info.threads = usable_cores();
#ifdef __x86_64__
  info.bf16 = __builtin_cpu_supports("avx512bf16") != 0;
#endif
  return info;
}

void* CpuDevice::allocate(std::int64_t bytes) {
  if (limit_ > 0 && used_bytes() + bytes > limit_) {
    fail(ExitCode::does_not_fit, "cannot allocate {} on the CPU: {} of the limit of {} are in use",
         format_bytes(bytes), format_bytes(used_bytes()), format_bytes(limit_));
  }
  // The system would give it all the same, and kill the process when it is used.
  if (const std::int64_t free = free_memory(); free > 0 && bytes > free) {
    fail(ExitCode::does_not_fit, "cannot allocate {} on the CPU: {} are free", format_bytes(bytes),
         format_bytes(free));
  }
  const std::size_t size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    fail(ExitCode::does_not_fit, "cannot allocate {} on the CPU: {}", format_bytes(bytes),
         std::strerror(errno));
  }
  madvise(memory, size, MADV_HUGEPAGE);
  count_allocation(bytes);
  return memory;
}

void CpuDevice::release(void* memory, std::int64_t bytes) noexcept {
  munmap(memory, static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1)));
  count_release(bytes);
}

void CpuDevice::copy_in(void* device, const void* host, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(device, host, static_cast<std::size_t>(bytes));  // null pointers hold no bytes
}

void CpuDevice::clear(void* device, std::int64_t bytes) {
  if (bytes > 0) std::memset(device, 0, static_cast<std::size_t>(bytes));
}

void CpuDevice::copy_out(void* host, const void* device, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(host, device, static_cast<std::size_t>(bytes));
}

}  // namespace convoy
