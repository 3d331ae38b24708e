#pragma once

#include <memory>
#include <string>

#include "comm/device_collectives.h"

namespace convoy {

class CudaDevice;

/// What keeps this process from using NCCL, in words; "" when nothing does: whether it was built in, whether
/// the library can be loaded and is new enough.
std::string nccl_problem();

struct NcclOptions {
  double timeout_seconds = 300;  ///< of joining, and of each collective from the moment it began
  double grace_seconds = 5;      ///< after a failure, for a better message: that of a lost rank's supervisor
  std::int64_t trial_bytes = 32 << 20;  ///< that are added up to measure the bandwidth
};

/// Collectives by NCCL between ranks with a GPU each; all ranks together. They run in a stream of their own
/// beside the device's work, and half types are added up as such (each partial sum is rounded). A watch looks
/// for failures and for what takes too long; it ends the job with ExitCode::lost_rank, rank, host, operation
/// and step. Takes memory of the device outside of the arena, all of it before this returns. Communicator and
/// device must outlive it. Error(lost_rank) on all ranks when they do not come together, with the words of
/// those that failed; Error(internal) when NCCL fails later for other reasons than another rank or the
/// network.
std::unique_ptr<DeviceCollectives> make_nccl_collectives(CudaDevice& device, Communicator& comm,
                                                         const NcclOptions& options);

}  // namespace convoy
