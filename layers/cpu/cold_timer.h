#pragma once

#include <memory>

#include "layers/core/clock.h"
#include "layers/device/cpu/cpu_device.h"
#include "layers/graph/backend.h"

namespace convoy {

/// Times kernels on the processor with emptied caches: in a training step the other layers' tensors have gone
/// through them since an operand was last used. The time of a single thread is that on a core, so that other
/// work does not count. Its memory is given back when it ends.
class ColdTimer : public KernelTimer {
 public:
  /// May begin trials for `budget_seconds` from now on, and end the last one for as long again, with at most
  /// `limit_bytes` of memory.
  ColdTimer(double budget_seconds, std::int64_t limit_bytes);

  double seconds(const std::string& what, Kernel& kernel) override;
  bool late() override { return seconds_since(start_) >= budget_; }
  bool over() override { return seconds_since(start_) >= 2 * budget_; }
  std::byte* memory(std::int64_t bytes) override;

 private:
  void empty_caches();

  Clock::time_point start_ = Clock::now();
  double budget_;
  CpuDevice device_;
  std::int64_t limit_;
  std::int64_t walked_bytes_;
  std::unique_ptr<Arena> walked_;  ///< what the caches are filled with instead
  std::unique_ptr<Arena> arena_;
};

}  // namespace convoy
