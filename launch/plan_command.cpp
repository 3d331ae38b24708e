#include <fmt/format.h>

#include <boost/json.hpp>

#include "launch/command.h"
#include "launch/job/read_job.h"
#include "launch/options.h"
#include "launch/planned_device.h"
#include "layers/core/bytes.h"
#include "layers/cpu/cpu_backend.h"
#include "trainer/planner/search_plan.h"
#include "trainer/session.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

/// Samples of the job's training set, without opening it where its size is known.
std::int64_t training_samples(const Job& job, const Graph& graph) {
  const std::string& kind = job.data.kind;
  if (holds_image_files(kind) && job.data.classes > 0 && job.data.classes != graph.classes()) {
    fail(ExitCode::usage, "{}: the network tells {} classes apart, but data.classes is {}", job.network,
         graph.classes(), job.data.classes);
  }
  if (kind == "synthetic") return expected_samples(job, Split::train);
  if (holds_image_files(kind) && job.data.samples > 0) return job.data.samples;
  if (kind == "mnist" || kind == "fashion-mnist") return 60000;
  if (kind == "cifar10" || kind == "cifar100") return 50000;
  return open_inputs(job, Purposes::train).train->size();
}

/// On the processor with the kernels that `convoy train` would take: what it measured before. A plan measures
/// nothing.
Plan plan_of(const Job& job, const Graph& graph, const PlanRequest& request, const PlannedDevice& device) {
  if (!device.here) return search_plan(graph, request, *device.backend);
  KernelSettings kernels = kernel_settings(job);
  kernels.measure = false;
  return plan_with_kernels(graph, request, kernels, *make_single()).plan;
}

}  // namespace

int plan_command(const std::vector<std::string>& arguments) {
  CommandLine line("plan JOB.toml [options]",
                   "Memory that a job takes on each rank, by category, and whether it fits. Exit code 3 when "
                   "it does not.");
  line.positional("JOB.toml", "job file");
  line.options().add_options()("device", po::value<std::string>()->default_value("cpu")->value_name("NAME"),
                               "device to plan for: cpu, or one of `convoy devices --known`")(
      "memory-limit", po::value<std::string>()->value_name("SIZE"),
      "as memory.limit of the job: 4GiB, 512MiB, auto")(
      "ranks", po::value<std::int64_t>()->default_value(1)->value_name("N"),
      "data-parallel workers: on cpu all on this machine, otherwise a device each")(
      "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "change a key of the job")("json", po::bool_switch(), "print one JSON object");
  if (!line.parse(arguments)) return 0;
  const PlannedDevice device = find_device(line.text("device"));
  const std::int64_t ranks = line.number("ranks");
  if (ranks < 1 || ranks > 1 << 20)
    fail(ExitCode::usage, "--ranks {} is out of range; it must be from 1 to {}", ranks, 1 << 20);
  std::vector<std::string> sets = line.texts("set");
  if (line.has("memory-limit")) {
    const std::string limit = line.text("memory-limit");
    try {
      if (limit != "auto" && parse_bytes(limit) < 1)
        fail(ExitCode::usage, "\"{}\" is too small; it must be at least 1 B", limit);
    } catch (const Error& problem) {
      fail(ExitCode::usage, "--memory-limit {}", problem.what());
    }
    sets.push_back("memory.limit=" + limit);
  }
  const Job job = read_job(line.required("JOB.toml"), sets);
  const Graph graph = read_network(job.network);
  if (device.here) set_cpu_threads(thread_count(job, static_cast<int>(ranks)));
  const std::int64_t limit = memory_limit(job, device.info, device.here ? static_cast<int>(ranks) : 1);
  PlanRequest request = plan_request(job, training_samples(job, graph), static_cast<int>(ranks), limit);
  device.plan_for(request);
  request.find_smallest = true;
  const Plan plan = plan_of(job, graph, request, device);
  if (line.flag("json")) {
    fmt::print("{}\n", boost::json::serialize(plan_json(plan, graph)));
  } else {
    fmt::print("{}", plan_text(plan, graph));
  }
  return plan.fits() ? 0 : static_cast<int>(ExitCode::does_not_fit);
}

}  // namespace convoy
