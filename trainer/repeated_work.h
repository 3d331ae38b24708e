#pragma once

#include <functional>
#include <map>
#include <memory>

#include "layers/device/device.h"

namespace convoy {

/// Work that is put into a device's queue again and again, by numbers: done at its first run, when libraries
/// prepare what they need, recorded at its second, and played from then on. All ranks come to that in the
/// same iteration, as collectives that are recorded demand.
class RepeatedWork {
 public:
  explicit RepeatedWork(Device& device) : device_(&device) {}

  /// `work` puts it into the queue. True when a recording was played in its place. When `work` fails, the
  /// device records no longer.
  bool run(int number, const std::function<void()>& work);
  /// Forgets what was recorded.
  void clear() { all_.clear(); }

 private:
  std::unique_ptr<Recording> record(const std::function<void()>& work);
  void give_up_recording() noexcept;

  struct One {
    bool was_run = false;
    std::unique_ptr<Recording> recording;
  };
  Device* device_;
  std::map<int, One> all_;
};

}  // namespace convoy
