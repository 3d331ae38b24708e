#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace convoy {

/// Bytes of a GPU that all processes have together, context and all, by NVIDIA's management library (NVML),
/// which comes with the driver and needs no context itself. `bus_id` as cudaDeviceGetPCIBusId gives it.
/// nullopt where the library is missing or will not tell.
std::optional<std::int64_t> used_memory(const std::string& bus_id);

}  // namespace convoy
