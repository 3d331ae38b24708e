#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "layers/core/clock.h"
#include "trainer/progress.h"

namespace convoy {

/// Shows how far a command over many images is, from a thread of its own, until it is destroyed.
class DataProgress {
 public:
  /// `done` counts images up to `total`; `more` is what else is told, may be empty. On standard error;
  /// nothing where `silent`.
  DataProgress(std::int64_t total, const std::atomic<std::int64_t>& done, bool silent,
               std::function<std::string()> more = {});
  ~DataProgress();
  DataProgress(const DataProgress&) = delete;
  DataProgress& operator=(const DataProgress&) = delete;

 private:
  void watch();

  std::int64_t total_;
  const std::atomic<std::int64_t>& done_;
  std::function<std::string()> more_;
  Progress progress_;
  Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  ///< last: it uses all of the above
};

}  // namespace convoy
