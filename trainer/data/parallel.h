#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

namespace convoy {

/// Calls work(i) for each i of [0, count) from `threads` threads, which take them in rising order. `make()`
/// gives each thread a `work` of its own, with the storage that it reuses. When one throws, no new ones
/// begin, and what the smallest i threw is thrown on.
template <class Make>
void in_parallel(std::int64_t count, int threads, const Make& make) {
  std::atomic<std::int64_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  std::int64_t error_at = std::numeric_limits<std::int64_t>::max();
  const auto run = [&] {
    std::int64_t i = 0;
    try {
      auto work = make();
      for (i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (i < error_at) {
        error_at = i;
        error = std::current_exception();
      }
      next = count;
    }
  };
  {
    std::vector<std::jthread> workers;
    const auto most = std::max<std::int64_t>(count, 1);
    for (std::int64_t i = 1; i < std::min<std::int64_t>(threads, most); ++i) workers.emplace_back(run);
    run();
  }
  if (error) std::rethrow_exception(error);
}

/// Threads that list folders and shards: more than cores, since they wait for disks.
inline int scan_threads() { return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 2, 16); }

/// `threads`, or where that is 0 one for each core.
inline int threads_or_cores(std::int64_t threads) {
  if (threads > 0) return static_cast<int>(threads);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace convoy
