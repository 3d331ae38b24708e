#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "launch/command.h"
#include "launch/config_files.h"
#include "launch/options.h"
#include "layers/core/bytes.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "layers/device/cuda/cuda_devices.h"
#include "trainer/planner/device_table.h"

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
          {"fp16", info.fp16},
          {"tf32", info.tf32}};
}

boost::json::object known_json(const KnownDevice& device, const DeviceTable& table) {
  return {{"name", device.name},
          {"full_name", device.full_name},
          {"year", device.year},
          {"capability", device.capability},
          {"memory_bytes", device.memory_bytes},
          {"fp32_flops", device.fp32},
          {"tf32_flops", device.tf32},
          {"fp16_flops", device.fp16},
          {"bf16_flops", device.bf16},
          {"bytes_per_second", device.bytes_per_second},
          {"pcie", device.pcie},
          {"nvlink", device.nvlink},
          {"launch_seconds", device.launch_seconds},
          {"context_bytes", device.context_bytes},
          {"libraries_bytes", device.libraries_bytes},
          {"collective_bytes", device.nccl_channels * table.nccl_channel_bytes()}};
}

/// The table of devices, and this machine's processor.
int print_known(bool json) {
  const DeviceTable table = DeviceTable::read(find_config("devices.toml"));
  const DeviceInfo cpu = CpuDevice().info();
  if (json) {
    boost::json::array devices;
    devices.push_back(
        boost::json::object{{"name", "cpu"}, {"full_name", cpu.name}, {"memory_bytes", cpu.memory_bytes}});
    for (const KnownDevice& device : table.devices()) devices.push_back(known_json(device, table));
    boost::json::array fabrics;
    for (const Fabric& fabric : table.fabrics()) {
      fabrics.push_back(boost::json::object{{"name", fabric.name},
                                            {"latency_seconds", fabric.latency_seconds},
                                            {"bytes_per_second", fabric.bytes_per_second}});
    }
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"devices", std::move(devices)},
                                                                  {"fabrics", std::move(fabrics)}}));
    return 0;
  }
  fmt::print("{:<16} {:>12} {:>6} {:>6} {:>8} {:>8} {:>7}  {}\n", "name", "memory", "year", "CUDA", "fp32 TF",
             "half TF", "GB/s", "full name");
  fmt::print("{:<16} {:>12} {:>6} {:>6} {:>8} {:>8} {:>7}  {}\n", "cpu", format_bytes(cpu.memory_bytes), "",
             "", "", "", "", cpu.name);
  for (const KnownDevice& device : table.devices()) {
    const double half = std::max(device.fp16, device.bf16) / 1e12;
    fmt::print("{:<16} {:>12} {:>6} {:>6} {:>8.1f} {:>8} {:>7.0f}  {}\n", device.name,
               format_bytes(device.memory_bytes), device.year, device.capability, device.fp32 / 1e12,
               half > 0 ? fmt::format("{:.1f}", half) : "", device.bytes_per_second / 1e9, device.full_name);
  }
  return 0;
}

}  // namespace

int devices_command(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  CommandLine line("devices [options]",
                   "Devices of this machine that Convoy can see, or those that it can plan for.");
  line.options().add_options()("known", po::bool_switch(), "the devices that `convoy plan --device` knows")(
      "json", po::bool_switch(), "print one JSON object");
  if (!line.parse(arguments)) return 0;
  if (line.flag("known")) return print_known(line.flag("json"));
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
