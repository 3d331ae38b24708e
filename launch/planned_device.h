#pragma once

#include <memory>
#include <string>

#include "layers/device/device.h"
#include "trainer/planner/device_table.h"

namespace convoy {

/// A device that `convoy plan` plans for: this machine's processor, or one of configs/devices.toml.
struct PlannedDevice {
  DeviceInfo info;
  std::unique_ptr<Backend> backend;
  bool here = false;  ///< the processor; all ranks of a host share it
  int threads = 0;    ///< of a rank on the processor
  DeviceTable table;
  const KnownDevice* known = nullptr;  ///< of the table; null for the processor

  /// Tells the request what it costs to be on such a device.
  void plan_for(PlanRequest& request) const;
};

/// The device of that name. Error(usage) names the nearest known one.
PlannedDevice find_device(const std::string& name);

}  // namespace convoy
