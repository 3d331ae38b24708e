#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>

#include "layers/device/device.h"
#include "trainer/planner/plan.h"

namespace convoy {

/// Projected against measured memory of one rank's device, in bytes.
struct MemoryTruth {
  struct Line {
    std::int64_t projected = 0;
    std::optional<std::int64_t> measured;  ///< nullopt where nobody can tell
  };
  Line arena;
  Line process;  ///< beside the arena: context, libraries, their kernels' code, the backend's own
  Line device;   ///< all that the process has of it

  /// {"arena":{"projected":...,"measured":...},...}
  boost::json::object json() const;
};

/// To be called when training has run: libraries load code when it is first used. `own_bytes` were allocated
/// of the device before the arena. Where ranks share the device, what one of them has cannot be told.
MemoryTruth memory_truth(const Plan& plan, const Device& device, std::int64_t own_bytes, int sharers);

}  // namespace convoy
