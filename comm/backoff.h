#pragma once

#include <sched.h>

#include <algorithm>
#include <thread>

#include "comm/activity.h"

namespace convoy {

/// How a thread polls without taking a core from the threads that compute: it spins for a moment, then lets
/// others run, then sleeps, longer and longer.
class Backoff {
 public:
  void restart() {
    start_ = Clock::now();
    sleep_ = std::chrono::microseconds(20);
  }

  /// Returns false while it only spins.
  bool pause() {
    const auto waited = Clock::now() - start_;
    if (waited < std::chrono::microseconds(20)) return false;
    if (waited < std::chrono::microseconds(100)) {
      sched_yield();
      return true;
    }
    std::this_thread::sleep_for(sleep_);
    sleep_ = std::min(sleep_ * 2, std::chrono::microseconds(200));
    return true;
  }

 private:
  Clock::time_point start_ = Clock::now();
  std::chrono::microseconds sleep_{20};
};

}  // namespace convoy
