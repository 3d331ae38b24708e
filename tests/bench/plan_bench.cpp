// How long planning takes: each network of a folder, with all the memory it asks for and with parts of that,
// on a GPU of the table or on the processor. One line a network, milliseconds; the slowest last.
//   build/tests/bench/plan_bench [configs/nets] [batch] [device|cpu]

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "layers/cpu/cpu_backend.h"
#include "layers/sizes/size_backend.h"
#include "tests/bench/arguments.h"
#include "trainer/planner/device_table.h"
#include "trainer/planner/search_plan.h"

namespace {

using namespace convoy;

constexpr int kPercent[] = {60, 40, 25};

/// That this process was on a core.
double milliseconds() { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

int run(bench::Arguments& arguments) {
  const std::string folder = arguments.next("networks", "configs/nets");
  const std::int64_t batch = arguments.next_number("batch", 64);
  const std::string device = arguments.next("device", "h100-80gb");
  arguments.done();
  if (!std::filesystem::is_directory(folder)) arguments.refuse(folder + ": there is no such folder");
  const DeviceTable table = DeviceTable::read(folder + "/../devices.toml");
  const KnownDevice* known = table.find(device);
  if (known == nullptr && device != "cpu") arguments.refuse(fmt::format("there is no device \"{}\"", device));
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) files.push_back(file.path().string());
  std::sort(files.begin(), files.end());
  double worst = 0;
  std::string slowest;
  fmt::print("{:<24} {:>8} {:>8} {:>8} {:>8}   milliseconds at all, 60, 40, 25% of the memory\n", "network",
             "all", "60%", "40%", "25%");
  for (const std::string& file : files) {
    const Graph graph = read_network(file);
    if (graph.loss_layer() < 0) continue;
    PlanRequest request;
    request.batch = batch;
    request.samples = 10 * batch;
    request.limit_bytes = std::int64_t{1} << 60;
    request.may_shrink = request.may_recompute = request.may_shrink_workspace = true;
    request.update_in_backward = true;
    if (known != nullptr) table.plan_for(*known, request);
    std::string line = fmt::format("{:<24}", graph.name());
    const auto timed = [&] {
      const std::unique_ptr<Backend> backend =
          known == nullptr ? make_cpu_backend()
                           : make_size_backend({device, known->types(), known->tf32 > 0});
      const double start = milliseconds();
      const Plan plan = search_plan(graph, request, *backend);
      const double taken = milliseconds() - start;
      if (taken > worst) slowest = graph.name();
      worst = std::max(worst, taken);
      line += fmt::format(" {:>8.1f}{}", taken, plan.fits() ? "" : "*");
      return plan.arena_bytes();
    };
    const std::int64_t ample = timed();
    for (const int percent : kPercent) {
      request.limit_bytes = ample * percent / 100 + request.overhead_bytes + request.collective_bytes;
      timed();
    }
    fmt::print("{}\n", line);
  }
  fmt::print("* does not fit; the slowest: {:.1f} ms, {}\n", worst, slowest);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return convoy::bench::run_program(argc, argv, "plan_bench [configs/nets] [batch] [device|cpu]", run);
}
