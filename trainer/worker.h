#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "comm/device_collectives.h"
#include "layers/device/device.h"
#include "layers/graph/backend.h"
#include "trainer/job.h"
#include "trainer/planner/device_speed.h"

namespace convoy {

/// What a rank trains on.
struct Worker {
  std::unique_ptr<Device> device;
  std::unique_ptr<DeviceCollectives> collectives;  ///< null: those through the host
  std::unique_ptr<Backend> backend;  ///< null: the processor's, which follows from the choice of kernels
  std::string libraries;             ///< their versions, for logs
  int sharers = 1;                   ///< ranks that share the device's memory
  std::int64_t overhead_bytes = 0;  ///< of the device beside the arena: context, libraries, the backend's own
  std::int64_t collective_bytes = 0;  ///< of the device for `collectives`
  std::int64_t taken_bytes = 0;       ///< of both, no longer free
  DeviceSpeed speed;
};

/// What keeps this process from training on a GPU, in words; "" when nothing does.
std::string cuda_problem();

/// The device that the job asks for: "auto" is the processor so far. Error(usage) when there is none that was
/// asked for, or ranks would share one without share_gpus.
Worker make_worker(const Job& job, Communicator& comm);

/// The part of it that is built with CUDA; else Error(usage).
Worker make_cuda_worker(const Job& job, Communicator& comm);

}  // namespace convoy
