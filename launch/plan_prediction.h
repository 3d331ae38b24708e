#pragma once

#include <string>

#include "launch/planned_device.h"
#include "trainer/kernels/kernel_plan.h"
#include "trainer/planner/prediction.h"

namespace convoy {

/// What `convoy plan` was told about the machines.
struct PlannedHosts {
  std::int64_t ranks = 1;
  std::int64_t ranks_per_host = 0;     ///< 0: as is usual for the device where a fabric is named, else all
  std::string fabric;                  ///< between hosts; "": there is one host
  std::int64_t adapters_per_host = 1;  ///< of the fabric
  bool measure = true;                 ///< the processor, when no speeds of it are known
  bool anew = false;                   ///< measure it even when they are, and forget how fast its ranks talk

  /// Of the fullest host.
  std::int64_t ranks_here(bool cpu) const;
};

/// What joins the ranks: the device's own links in a host, the fabric between hosts. On the processor
/// `shared` joins the ranks of a host. Error(usage) for a fabric that the table does not have, with the
/// nearest name, and for several hosts that nothing joins.
Interconnect interconnect_of(const PlannedHosts& hosts, const PlannedDevice& device, const DeviceTable& table,
                             const Link& shared);

/// Predicts the time of a step of a plan. For the processor speeds come from the cache in `folder` ("": there
/// is none), and are measured when it has none and `hosts.measure` is set; warnings go to standard error.
Prediction predict_step(const Graph& graph, const KernelPlan& made, const PlannedHosts& hosts,
                        const PlannedDevice& device, const std::string& folder);

}  // namespace convoy
