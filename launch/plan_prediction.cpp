#include "launch/plan_prediction.h"

#include <fmt/format.h>

#include "launch/config_files.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "layers/cpu/cold_timer.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "trainer/kernels/cpu_speed.h"

namespace convoy {
namespace {

constexpr std::int64_t kGpusPerHost = 8;
constexpr double kMeasureSeconds = 0.5;
constexpr std::int64_t kMeasureBytes = std::int64_t{1} << 30;

const char* const kSharedMemory = "shared-memory";

/// A rank's part of what all threads of the machine reach together.
DeviceSpeed part_of(DeviceSpeed speed, double ranks) {
  for (double* rate : {&speed.flops, &speed.half_flops, &speed.window_flops, &speed.half_window_flops,
                       &speed.bytes_per_second, &speed.cache_bytes_per_second, &speed.cache_bytes})
    *rate /= ranks;
  return speed;
}

/// Speeds of this machine's processor with so many threads, or with its cores where these are fewer: more
/// threads than cores are not faster, only slower to start.
CpuSpeed cpu_speed(const PlannedHosts& hosts, std::int64_t wanted, const std::string& folder) {
  const auto threads = static_cast<int>(std::min<std::int64_t>(wanted, usable_cores()));
  SpeedCache cache(folder, cpu_kernel_conditions(threads));
  if (hosts.anew || (hosts.measure && !cache.known().speed)) {
    set_cpu_threads(threads);
    ColdTimer timer(kMeasureSeconds, kMeasureBytes);
    const std::unique_ptr<Backend> backend = make_cpu_backend();
    CpuSpeed known = cache.known();
    if (hosts.anew) known.links.clear();
    known.speed = measure_speed(*backend, timer);
    if (known.speed) cache.put(known);
  }
  for (const std::string& warning : cache.warnings()) fmt::print(stderr, "{}\n", warning);
  return cache.known();
}

}  // namespace

std::int64_t PlannedHosts::ranks_here(bool cpu) const {
  std::int64_t most = ranks_per_host;
  if (most == 0) most = fabric.empty() ? ranks : (cpu ? 1 : kGpusPerHost);
  return std::min(ranks, most);
}

Interconnect interconnect_of(const PlannedHosts& hosts, const PlannedDevice& device, const DeviceTable& table,
                             const Link& shared) {
  Interconnect links;
  links.ranks_per_host = hosts.ranks_here(device.here);
  if (device.known != nullptr) {
    links.library = Interconnect::Library::nccl;
    links.inside = table.find_fabric(device.known->fabric())->link();
  } else {
    links.inside = shared;
  }
  if (!hosts.fabric.empty()) {
    const Fabric* fabric = table.find_fabric(hosts.fabric);
    if (fabric == nullptr) {
      const std::vector<std::string> known = table.fabric_names();
      fail(ExitCode::usage, "--fabric \"{}\" is not known{}; known are {}", hosts.fabric,
           did_you_mean(hosts.fabric, known), join(known));
    }
    links.between = fabric->link();
    links.between.bytes_per_second *= static_cast<double>(hosts.adapters_per_host);
  } else if (links.hosts(hosts.ranks) > 1) {
    fail(ExitCode::usage,
         "--ranks {} with --ranks-per-host {} are {}; name with --fabric what joins them, one of {}",
         hosts.ranks, hosts.ranks_per_host, counted(links.hosts(hosts.ranks), "host"),
         join(table.fabric_names()));
  }
  return links;
}

Prediction predict_step(const Graph& graph, const KernelPlan& made, const PlannedHosts& hosts,
                        const PlannedDevice& device, const std::string& folder) {
  PlanRequest request = made.plan.request;
  PredictionSource source{"of the device table", "", ""};
  MeasuredLayers layers;
  if (device.here) {
    const std::int64_t here = hosts.ranks_here(true);
    const CpuSpeed known = cpu_speed(hosts, device.threads * here, folder);
    set_cpu_threads(device.threads);
    source.speeds = known.speed ? "measured on this machine" : "of a usual processor";
    if (known.speed) request.speed = part_of(*known.speed, static_cast<double>(here));
    if (!made.layer_seconds.empty()) layers[request.precision] = made.layer_seconds;
    if (hosts.ranks > 1) {
      const DeviceTable table = DeviceTable::read(find_config("devices.toml"));
      const auto link = known.links.find(static_cast<int>(here));
      const bool measured = link != known.links.end();
      source.inside = measured ? "shared memory as measured" : kSharedMemory;
      const Fabric* shared = table.find_fabric(kSharedMemory);
      if (!measured && shared == nullptr)
        fail(ExitCode::usage, "{}: there is no [fabric] \"{}\"", find_config("devices.toml"), kSharedMemory);
      request.links = interconnect_of(hosts, device, table, measured ? link->second : shared->link());
    }
  } else if (hosts.ranks > 1) {
    source.inside = device.known->fabric();
  }
  if (request.links.hosts(request.ranks) > 1) source.between = hosts.fabric;
  if (request.links.ranks_on_host(request.ranks) == 1) source.inside = "";
  return {made.plan, CostModel(graph, request, std::move(layers)), std::move(source)};
}

}  // namespace convoy
