#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "comm/communicator.h"
#include "layers/core/dtype.h"
#include "layers/device/device.h"

namespace convoy {

/// Collectives over values that lie on the ranks' devices, several under way. Each has a slot, numbered from
/// 0; the memory belongs to it until wait() of its slot returned, and only then may the slot be used again.
/// All ranks start the same collectives in the same order. Errors are those of Communicator.
class DeviceCollectives {
 public:
  virtual ~DeviceCollectives() = default;

  /// How the values travel, for logs: "through the host", "NCCL 2.28.9".
  virtual std::string kind() const = 0;
  /// The iteration that what follows belongs to, for messages.
  virtual void note(std::int64_t) {}

  /// Whether they can be part of what a device records (Device::start_recording).
  virtual bool can_be_recorded() const { return false; }
  /// A recording with such collectives was played; `name` is for messages.
  virtual void played(const std::string&) {}

  /// The sum over the ranks of `count` values, on every rank.
  virtual void start_all_reduce(std::size_t slot, void* memory, std::int64_t count, DType type,
                                const std::string& name) = 0;
  /// `memory` has as many slices as there are ranks, of count_per_rank values. The rank's own slice becomes
  /// its sum over the ranks; the others are of no use after that.
  virtual void start_reduce_scatter(std::size_t slot, void* memory, std::int64_t count_per_rank, DType type,
                                    const std::string& name) = 0;
  /// Each rank gives its slice, of bytes_per_rank, and gets those of all.
  virtual void start_all_gather(std::size_t slot, void* memory, std::int64_t bytes_per_rank,
                                const std::string& name) = 0;
  /// Brings what was started on its way without further calls. Before any collective of the Communicator, so
  /// that all ranks start theirs in one order.
  virtual void flush() = 0;
  /// Returns when the result is in place for the device's work to come; at once where none was started.
  virtual void wait(std::size_t slot) = 0;
  /// The sum of fp64 values, in place for the device's work to come.
  virtual void sum_now(void* memory, std::int64_t count, const std::string& name) = 0;
};

/// Collectives by the Communicator. Where it can reach the values, it works in place. Otherwise they are
/// copied to host memory beside the device's work, summed there in fp32 (half types too: rounded once), and
/// copied back. That host memory is taken when a slot is first used, and kept. A collective that waits for
/// its copy starts at a later call. Device and communicator must outlive it.
std::unique_ptr<DeviceCollectives> make_staged_collectives(Device& device, Communicator& comm);

}  // namespace convoy
