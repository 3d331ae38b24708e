#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "layers/core/dtype.h"
#include "layers/device/device.h"

namespace convoy {

/// Sums over the ranks of values on a device, several under way. Where the Communicator can reach them, it
/// works in place. Otherwise they are copied to host memory beside the device's work, summed there in fp32
/// (half types too), and copied back. That host memory is taken when a slot is first used, and kept.
///
/// A sum that waits for its copy starts at a later call, no later than flush(): call that before any other
/// collective, so that all ranks start theirs in one order.
class DeviceReducer {
 public:
  /// `slots` sums may be under way at a time. Device and communicator must outlive it.
  DeviceReducer(Device& device, Communicator& comm, std::size_t slots);
  ~DeviceReducer();
  DeviceReducer(const DeviceReducer&) = delete;
  DeviceReducer& operator=(const DeviceReducer&) = delete;

  /// `count` values of `type` at `memory`, which belong to the sum until wait(slot) returned. Each slot keeps
  /// to one memory, count and type.
  void start(std::size_t slot, void* memory, std::int64_t count, DType type, const std::string& name);
  /// Starts all sums that are not; waits for their copies.
  void flush();
  /// Returns when the sum is in place for the device's work to come; at once where none was started.
  void wait(std::size_t slot);
  /// fp64 values, at once.
  void sum_now(void* memory, std::int64_t count, const std::string& name);

 private:
  struct Slot {
    void* memory = nullptr;
    std::int64_t count = 0;
    DType type = DType::f32;
    std::string name;
    void* host = nullptr;
    std::vector<float> wide;  ///< half types as fp32
    std::unique_ptr<DeviceMark> copied;
    Pending pending;
    bool staged = false;  ///< the sum must go back to the device
  };
  bool in_place(DType type) const { return device_->host_addressable() && type == DType::f32; }
  void start_ready();
  void launch(Slot& slot);
  void take_back(Slot& slot);

  Device* device_;
  Communicator* comm_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> waiting_;  ///< slots whose copies are under way, in the order of start()
};

}  // namespace convoy
