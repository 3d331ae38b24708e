#include <fmt/format.h>

#include <boost/json.hpp>

#include "launch/command.h"
#include "launch/options.h"
#include "layers/core/bytes.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "layers/device/cuda/cuda_devices.h"

namespace convoy {
namespace {

boost::json::object device_json(const DeviceInfo& info) {
  return {{"kind", info.kind},
          {"index", info.index},
          {"name", info.name},
          {"memory_bytes", info.memory_bytes},
          {"free_bytes", info.free_bytes},
          {"threads", info.threads},
          {"bf16", info.bf16},
          {"fp16", info.fp16}};
}

}  // namespace

int devices_command(const std::vector<std::string>& arguments) {
  CommandLine line("devices [options]", "Devices of this machine that Convoy can see.");
  line.options().add_options()("json", boost::program_options::bool_switch(), "print one JSON object");
  if (!line.parse(arguments)) return 0;
  std::vector<DeviceInfo> devices{CpuDevice().info()};
  const CudaDevices cuda = list_cuda_devices();
  devices.insert(devices.end(), cuda.devices.begin(), cuda.devices.end());
  if (line.flag("json")) {
    boost::json::array list;
    for (const DeviceInfo& info : devices) list.push_back(device_json(info));
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"devices", std::move(list)},
                                                                  {"cuda", cuda.status},
                                                                  {"cpu_library", cpu_library_version()}}));
    return 0;
  }
  for (const DeviceInfo& info : devices) {
    fmt::print("{}:{}  {}  {} of {} free, {} {}{}\n", info.kind, info.index, info.name,
               format_bytes(info.free_bytes), format_bytes(info.memory_bytes), info.threads,
               info.kind == "cpu" ? "cores" : "multiprocessors", info.bf16 ? ", bf16" : "");
  }
  fmt::print("{}; CUDA: {}\n", cpu_library_version(), cuda.status);
  return 0;
}

}  // namespace convoy
