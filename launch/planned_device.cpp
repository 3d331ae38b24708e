#include "launch/planned_device.h"

#include "comm/communicator.h"
#include "launch/config_files.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "layers/sizes/size_backend.h"

namespace convoy {
namespace {

[[noreturn]] void refuse(const std::string& name, std::vector<std::string> known) {
  known.insert(known.begin(), "cpu");
  std::string meant = did_you_mean(name, known);
  for (const std::string& other : known) {
    if (meant.empty() && other.starts_with(name)) meant = " (did you mean \"" + other + "\"?)";
  }
  fail(ExitCode::usage, "--device \"{}\" is not known{}; known are {}", name, meant, join(known));
}

}  // namespace

void PlannedDevice::plan_for(PlanRequest& request) const {
  if (known != nullptr)
    table.plan_for(*known, request);
  else
    request.collective_bytes = mpi_buffer_bytes(request.ranks);
}

PlannedDevice find_device(const std::string& name) {
  PlannedDevice device;
  if (name == "cpu") {
    device.info = CpuDevice().info();
    device.backend = make_cpu_backend();
    device.here = true;
    return device;
  }
  device.table = DeviceTable::read(find_config("devices.toml"));
  device.known = device.table.find(name);
  if (device.known == nullptr) refuse(name, device.table.device_names());
  device.info.kind = "cuda";
  device.info.name = device.known->full_name;
  device.info.memory_bytes = device.info.free_bytes = device.known->memory_bytes;
  device.backend = make_size_backend({name, device.known->types(), device.known->tf32 > 0});
  return device;
}

}  // namespace convoy
