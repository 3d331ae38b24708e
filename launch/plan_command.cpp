#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>

#include "launch/command.h"
#include "launch/config_files.h"
#include "launch/job/read_job.h"
#include "launch/options.h"
#include "launch/plan_prediction.h"
#include "layers/core/bytes.h"
#include "layers/cpu/cpu_backend.h"
#include "trainer/loader_memory.h"
#include "trainer/network_checks.h"
#include "trainer/planner/advice.h"
#include "trainer/planner/inference_plan.h"
#include "trainer/planner/plan_page.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"
#include "trainer/preparation.h"
#include "trainer/session.h"
#include "trainer/storage/file_io.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

/// Samples of a split of the job's data, without opening it where its size is known.
std::int64_t samples_of(const Job& job, Split split) {
  const bool train = split == Split::train;
  const std::string& kind = job.data.kind;
  const std::int64_t expected = expected_samples(job, split);
  if (kind == "synthetic" || (holds_image_files(kind) && expected > 0)) return expected;
  const KnownSet known = known_set(kind);
  if (known.train_samples > 0) return train ? known.train_samples : known.test_samples;
  Job opened = job;
  opened.device = "cpu";  // its data alone counts here
  const JobInputs inputs = open_inputs(std::move(opened), Purposes::train);
  return (train ? inputs.train : inputs.test)->size();
}

/// The text of --memory-limit, or Error(usage) that it is no size.
const std::string& checked_limit(const std::string& limit) try {
  if (limit != "auto" && parse_bytes(limit) < 1)
    fail(ExitCode::usage, "\"{}\" is too small; it must be at least 1 B", limit);
  return limit;
} catch (const Error& problem) {
  fail(ExitCode::usage, "--memory-limit {}", problem.what());
}

/// What `convoy eval` asks, or with `batch` of so many samples on each rank at a time.
void ask_for_inference(const Job& job, const Graph& graph, std::int64_t batch, PlanRequest& request) {
  request.training = false;
  request.may_shrink = request.may_shrink || request.may_shrink_batch;
  const int views = evaluation_augmentation(job, graph.input()).views();
  request.samples = batch > 0 ? batch * request.ranks : samples_of(job, Split::test) * views;
  if (batch > 0) request.evaluate_batch = batch;
}

/// Written whole, or not at all.
void write_page(const std::string& path, const std::string& page) try {
  PartialFile file(path);
  file.write(std::as_bytes(std::span(page)));
  file.commit();
} catch (const Error& problem) {
  fail(problem.code(), "--html: {}", problem.what());
}

/// On the processor with the kernels that `convoy train` would take: what it measured before. A plan measures
/// no kernels.
KernelPlan plan_of(const Graph& graph, const PlanRequest& request, KernelSettings kernels,
                   PlannedDevice& device) {
  if (device.here) {
    kernels.measure = false;
    return plan_with_kernels(graph, request, kernels, *make_single());
  }
  KernelPlan made;
  made.plan = search_plan(graph, request, *device.backend);
  made.backend = std::move(device.backend);
  return made;
}

PlannedHosts planned_hosts(const CommandLine& line) {
  PlannedHosts hosts;
  hosts.ranks = line.number("ranks", 1, 1 << 20);
  if (line.has("ranks-per-host")) hosts.ranks_per_host = line.number("ranks-per-host", 1, 1 << 20);
  hosts.adapters_per_host = line.number("adapters-per-host", 1, 1024);
  if (line.has("fabric")) hosts.fabric = line.text("fabric");
  const std::string measure = line.text("measure");
  if (measure != "auto" && measure != "no" && measure != "anew")
    fail(ExitCode::usage, "--measure {}: expected auto, no or anew", measure);
  hosts.measure = measure != "no";
  hosts.anew = measure == "anew";
  return hosts;
}

/// Without --device: the processor, unless the job wants a GPU, of which it does not say which.
PlannedDevice device_of(const Job& job) {
  if (job.device == "cuda") {
    fail(ExitCode::usage,
         "the job asks for device = \"cuda\"; say which GPU to plan for with --device NAME, one of `convoy "
         "devices --known`, or plan for the processor with --device cpu");
  }
  return find_device("cpu");
}

/// On the processor the plan does not depend on what joins the ranks, as that of `convoy train`.
void set_links(const PlannedHosts& hosts, const PlannedDevice& device, PlanRequest& request) {
  if (!device.here) {
    request.links = interconnect_of(hosts, device, device.table, {});
  } else if (!hosts.fabric.empty() || hosts.ranks_per_host > 0) {
    interconnect_of(hosts, device, DeviceTable::read(find_config("devices.toml")), {});  // for its mistakes
  }
}

}  // namespace

int plan_command(const std::vector<std::string>& arguments) {
  CommandLine line("plan JOB.toml [options]",
                   "Memory that a job takes on each rank, by category, and whether it fits. Exit code 3 when "
                   "it does not.");
  line.positional("JOB.toml", "job file");
  line.options().add_options()(
      "device", po::value<std::string>()->value_name("NAME"),
      "device to plan for: cpu, or one of `convoy devices --known` (default cpu, unless the job wants cuda)")(
      "memory-limit", po::value<std::string>()->value_name("SIZE"),
      "as memory.limit of the job: 4GiB, 512MiB, auto")(
      "ranks", po::value<std::int64_t>()->default_value(1)->value_name("N"),
      "data-parallel workers: on cpu all on this machine unless a fabric is named, otherwise a device each")(
      "fabric", po::value<std::string>()->value_name("NAME"),
      "what joins the hosts, of `convoy devices --known`; without it all ranks are on one host")(
      "ranks-per-host", po::value<std::int64_t>()->value_name("N"),
      "ranks on each host (with --fabric 8 on GPUs and 1 on cpu, otherwise all)")(
      "adapters-per-host", po::value<std::int64_t>()->default_value(1)->value_name("N"),
      "adapters of the fabric in each host")(
      "measure", po::value<std::string>()->default_value("auto")->value_name("auto|no|anew"),
      "measure the processor, for the prediction of time: when no speeds are kept of it, never, or now")(
      "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "change a key of the job")("json", po::bool_switch(), "print one JSON object")(
      "inference", po::bool_switch(),
      "plan convoy eval in place of training, and tell the largest batch that fits")(
      "batch", po::value<std::int64_t>()->value_name("N"),
      "with --inference: samples at a time on a rank (default: as the job says)")(
      "html", po::value<std::string>()->value_name("FILE"),
      "write a page that shows the memory as a map, also of a job that does not fit");
  if (!line.parse(arguments)) return 0;
  const bool inference = line.flag("inference");
  if (line.has("batch") && !inference)
    fail(ExitCode::usage, "--batch goes with --inference; to plan training use --set train.batch=N");
  const std::int64_t batch = line.has("batch") ? line.number("batch", 1, kMostInferenceBatch) : 0;
  PlannedHosts hosts = planned_hosts(line);
  std::optional<PlannedDevice> named;
  std::vector<std::string> sets = line.texts("set");
  if (line.has("device")) {
    named = find_device(line.text("device"));
    sets.emplace_back(named->here ? "device=cpu" : "device=cuda");
  }
  std::string limit;  // as the option says it
  if (line.has("memory-limit")) {
    limit = "--memory-limit " + line.text("memory-limit");
    sets.push_back("memory.limit=" + checked_limit(line.text("memory-limit")));
  }
  const Job job = read_job(line.required("JOB.toml"), sets);
  PlannedDevice device = named ? std::move(*named) : device_of(job);
  const Graph graph = read_network(job.network);
  check_loss(job, graph);
  check_network(job, graph);
  if (job.kernels == "default") hosts.measure = hosts.anew = false;
  const auto ranks = static_cast<int>(hosts.ranks);
  const int here = device.here ? static_cast<int>(hosts.ranks_here(true)) : 1;
  device.threads = thread_count(job, here);
  if (device.here) set_cpu_threads(device.threads);
  const std::int64_t samples = inference ? 1 : samples_of(job, Split::train);
  PlanRequest request = plan_request(job, samples, ranks, memory_limit(job, device.info, here, limit));
  if (inference) {
    ask_for_inference(job, graph, batch, request);
  } else if (request.evaluate_batch > 0) {
    const int views = evaluation_augmentation(job, graph.input()).views();
    bound_evaluation(request, samples_of(job, Split::test) * views);
  }
  device.plan_for(request);
  count_loader(job, graph.input(), request);
  set_links(hosts, device, request);
  request.find_smallest = true;
  const KernelSettings kernels = kernel_settings(job);
  KernelPlan made = plan_of(graph, request, kernels, device);
  const Plan& plan = made.plan;
  if (line.has("html")) write_page(line.text("html"), plan_page(plan, graph));
  boost::json::object json = plan_json(plan, graph);
  std::string text = plan_text(plan, graph);
  if (!inference) {
    const Prediction prediction = predict_step(graph, made, hosts, device, kernels.cache);
    AdviceOptions options;
    options.collective_bytes = [&](int count) {
      return device.here ? mpi_buffer_bytes(count) : device.table.collective_bytes(*device.known, count);
    };
    const std::vector<Advice> advice = advise(graph, request, plan, *made.backend, options);
    prediction.add_to(json);
    json["advice"] = advice_json(advice);
    text += prediction.text() + advice_text(advice);
  }
  fmt::print("{}", line.flag("json") ? boost::json::serialize(json) + "\n" : text);
  return plan.fits() ? 0 : static_cast<int>(ExitCode::does_not_fit);
}

}  // namespace convoy
