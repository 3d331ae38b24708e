#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "layers/device/device.h"

namespace convoy {

/// Looks after collectives that run on a device, for which no host waits that could tell what is amiss: from
/// a thread of its own it asks now and then whether they are done, and whether their library has failed.
class DeviceWatch {
 public:
  struct Watched {
    std::string name;                   ///< "gradient bucket 3 (all-reduce of 400000 fp16)"
    std::int64_t iteration = 0;         ///< that it belongs to
    std::shared_ptr<DeviceMark> begun;  ///< null: when the one before it was done
    std::shared_ptr<DeviceMark> done;
  };
  struct Calls {
    std::function<void()> enter;                      ///< first of all, in the watch's thread
    std::function<std::string()> trouble;             ///< what the library has to say; "" while all is well
    std::function<void(const std::string&)> give_up;  ///< called once at most, with what is amiss,
                                                      ///< unless the watch ends in the time of grace
  };

  struct Limits {
    double timeout_seconds = 300;  ///< an operation that is not done so long after it began is amiss
    double grace_seconds = 0;      ///< between what is amiss and giving up; ended by the destructor
  };

  /// Time in which this process did not run does not count.
  DeviceWatch(const Limits& limits, Calls calls);
  ~DeviceWatch();
  DeviceWatch(const DeviceWatch&) = delete;
  DeviceWatch& operator=(const DeviceWatch&) = delete;

  /// In the order in which they run.
  void add(Watched operation);

 private:
  void run();
  /// What is amiss after `seconds` more; "" when nothing is.
  std::string look(double seconds);

  static constexpr std::chrono::milliseconds kInterval{50};

  const Limits limits_;
  const Calls calls_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Watched> under_way_;
  double running_ = 0;  ///< seconds since the first of them began
  bool stops_ = false;
  std::thread thread_;
};

}  // namespace convoy
