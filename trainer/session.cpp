#include "trainer/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/text.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "trainer/kernels/cpu_speed.h"
#include "trainer/loader_memory.h"
#include "trainer/measured_keys.h"
#include "trainer/network_checks.h"
#include "trainer/plan_again.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"
#include "trainer/preparation.h"

namespace convoy {
namespace {

DataSource source_of(const Job& job, const Graph& graph, Split split) {
  const Job::Data& data = job.data;
  const bool train = split == Split::train;
  DataSource source;
  source.kind = data.kind;
  source.root = data.root;
  source.images = train ? data.images : data.test_images;
  source.labels = train ? data.labels : data.test_labels;
  source.shape = graph.input();
  source.classes = static_cast<int>(data.classes > 0 ? data.classes : graph.classes());
  source.samples = expected_samples(job, split);
  if (holds_image_files(data.kind)) source.classes = static_cast<int>(data.classes);
  source.train_folder = data.train_folder;
  source.test_folder = data.test_folder;
  source.train_list = data.train_list;
  source.test_list = data.test_list;
  source.train_shards = data.train_shards;
  source.test_shards = data.test_shards;
  source.decode = decode_options(job);
  source.broken_limit = data.broken == "skip" ? data.broken_limit : -1;
  source.broken_share = data.broken_share;
  source.seed = static_cast<std::uint64_t>(job.seed);
  return source;
}

void check_fit(const Job& job, const Graph& graph, const Dataset& set) {
  check_set(job, graph, set.classes(), set.shape().channels);
  if (set.size() == 0) fail(ExitCode::data, "the data set \"{}\" is empty", job.data.kind);
}

}  // namespace

std::int64_t expected_samples(const Job& job, Split split) {
  const std::int64_t given = split == Split::train ? job.data.samples : job.data.test_samples;
  if (job.data.kind != "synthetic" || given > 0) return given;
  return split == Split::train ? 10000 : 1000;
}

JobInputs open_inputs(Job job, Purposes purpose) {
  if (const std::string problem = job.device == "cuda" ? cuda_problem() : ""; !problem.empty())
    fail(ExitCode::usage, "device = \"cuda\": {}; use device = \"cpu\"", problem);
  Graph graph = read_network(job.network);
  check_loss(job, graph);
  if (purpose != Purposes::graph_only) check_network(job, graph);

  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
  if (purpose == Purposes::train || (purpose == Purposes::evaluate && leaves_scale(job))) {
    train = open_dataset(source_of(job, graph, Split::train), Split::train);
    check_fit(job, graph, *train);
  }
  if (purpose != Purposes::graph_only) {
    test = open_dataset(source_of(job, graph, Split::test), Split::test);
    check_fit(job, graph, *test);
  }
  if (train != nullptr && (leaves_scale(job) || leaves_colours(job)))
    fill_measured(job, graph.input(), *train);
  return {std::move(job), std::move(graph), std::move(train), std::move(test)};
}

PixelScale pixel_scale(const Job& job, Shape input) {
  PixelScale scale;
  const auto fill = [&](const std::vector<double>& values, const char* key, std::vector<float>& out) {
    check_channel_values(values, key, input);
    for (std::size_t c = 0; c < static_cast<std::size_t>(input.channels); ++c) {
      out.push_back(static_cast<float>(values.size() == 1 ? values[0] : values[c]));
    }
  };
  fill(job.data.mean, "mean", scale.mean);
  fill(job.data.deviation, "deviation", scale.deviation);
  return scale;
}

void bound_evaluation(PlanRequest& request, std::int64_t samples) {
  const std::int64_t share = (samples + request.ranks - 1) / request.ranks;
  if (request.training && share > 0) request.evaluate_batch = std::min(request.evaluate_batch, share);
}

PlanRequest plan_request(const Job& job, std::int64_t train_samples, int ranks, std::int64_t limit_bytes) {
  PlanRequest request;
  request.samples = train_samples;
  request.batch = job.train.batch;
  request.ranks = ranks;
  request.micro_batch = job.train.micro_batch;
  request.evaluate_batch = job.train.evaluate_batch;
  request.momentum = job.optimizer.momentum > 0;
  request.shared_statistics = job.train.shared_statistics;
  request.second_labels = job.data.mixup > 0;
  request.shard_optimizer = job.train.shard_optimizer;
  request.tf32 = job.train.precision == "tf32";
  request.precision = request.tf32 ? DType::f32 : dtype_of(job.train.precision);
  request.clips = job.train.clip_norm > 0;
  request.update_in_backward = true;
  request.bucket_bytes = std::max<std::int64_t>(parse_bytes(job.comm.bucket), 4);
  request.limit_bytes = limit_bytes;
  const auto allows = [&](const char* word) {
    return std::find(job.memory.allow.begin(), job.memory.allow.end(), word) != job.memory.allow.end();
  };
  request.may_shrink = allows("micro_batch");
  request.may_recompute = allows("recompute");
  request.may_halve_precision = allows("half_precision");
  request.may_shrink_workspace = allows("workspace");
  request.may_shard_optimizer = allows("shard_optimizer");
  request.may_shrink_batch = allows("global_batch");
  request.order = job.memory.allow;
  request.reserve_bytes = parse_bytes(job.memory.reserve);
  request.workspace_bytes =
      job.memory.workspace == "auto" ? kUsualWorkspace : parse_bytes(job.memory.workspace);
  request.statistics_batch = job.memory.statistics_batch;
  return request;
}

std::int64_t memory_limit(const Job& job, const DeviceInfo& info, int ranks_here, const std::string& given) {
  const std::int64_t reserve = parse_bytes(job.memory.reserve);
  std::int64_t limit = free_for_rank(info, ranks_here);
  if (job.memory.limit != "auto") {
    limit = parse_bytes(job.memory.limit);
    if (limit > info.memory_bytes) {
      fail(ExitCode::usage, "{} is more than the device has ({})",
           given.empty() ? fmt::format("[memory] limit = \"{}\"", job.memory.limit) : given,
           format_bytes(info.memory_bytes));
    }
  }
  if (reserve >= limit) {
    fail(ExitCode::usage, "[memory] reserve = \"{}\" leaves nothing of the limit of {}", job.memory.reserve,
         format_bytes(limit));
  }
  return limit - reserve;
}

int thread_count(const Job& job, int ranks) {
  return job.threads > 0 ? static_cast<int>(job.threads) : std::max(1, usable_cores() / ranks);
}

/// The same on every rank, since scratch memory may depend on it. The cores of a host were divided before.
int agreed_thread_count(const Job& job, Communicator& comm) {
  const std::int64_t mine = job.threads > 0 ? job.threads : usable_cores(comm.local_size());
  return static_cast<int>(comm.all_reduce(mine, Reduction::min, "thread counts"));
}

OptimizerSettings optimizer_settings(const Job& job) {
  const Job::Optimizer& from = job.optimizer;
  OptimizerSettings settings;
  settings.sgd = {static_cast<float>(from.momentum), from.nesterov};
  settings.weight_decay = static_cast<float>(from.weight_decay);
  settings.bias_decay = static_cast<float>(from.bias_decay);
  settings.norm_decay = static_cast<float>(from.norm_decay);
  settings.bias_rate = static_cast<float>(from.bias_rate);
  settings.clip_norm = job.train.clip_norm;
  return settings;
}

/// Whether a value is the same on all ranks; they all learn it.
bool all_agree(std::int64_t value, Communicator& comm, const char* name) {
  const std::int64_t least = comm.all_reduce(value, Reduction::min, name);
  return comm.all_reduce(value, Reduction::max, name) == least;
}

/// All ranks must see the same images in the same order.
void check_same_data(const JobInputs& inputs, Communicator& comm) {
  std::int64_t sum = 0;
  for (const Dataset* set : {inputs.train.get(), inputs.test.get()}) {
    sum = (sum << 31) ^ (set == nullptr ? 0 : set->checksum());
  }
  if (all_agree(sum, comm, "data sets")) return;
  fail(ExitCode::data,
       "rank {}: the ranks do not have the same files in data.root = \"{}\"; copy the same folder to every "
       "machine, and write their indices anew: convoy data index",
       comm.rank(), inputs.job.data.root);
}

KernelSettings kernel_settings(const Job& job) {
  if (job.kernels == "default") return {};
  KernelSettings settings = measured_kernels();
  // The other ranks wait meanwhile.
  settings.budget_seconds = std::min(settings.budget_seconds, job.comm.timeout_seconds / 4);
  return settings;
}

Session::Session(JobInputs inputs, Communicator& comm, bool training, std::int64_t samples,
                 const KernelSettings& kernels, std::int64_t kept_batch, Worker worker)
    : inputs_(std::move(inputs)),
      comm_(&comm),
      worker_(worker.device != nullptr ? std::move(worker) : make_worker(inputs_.job, comm)),
      on_processor_(worker_.backend == nullptr),
      threads_(agreed_thread_count(inputs_.job, comm)) {
  set_cpu_threads(threads_);
  check_same_data(inputs_, comm);
  DeviceInfo info = device().info();
  info.free_bytes = std::min(info.free_bytes + worker_.taken_bytes, info.memory_bytes);
  std::int64_t limit = memory_limit(job(), info, worker_.sharers);
  limit = comm.all_reduce(limit, Reduction::min, "memory limits");
  PlanRequest request = plan_request(job(), samples, comm.size(), limit);
  request.training = training;
  if (training && inputs_.test != nullptr) {
    const int views = evaluation_augmentation(job(), graph().input()).views();
    bound_evaluation(request, inputs_.test->size() * views);
  }
  // Whoever lets training change its batch lets evaluation do so, which changes no result.
  if (!training) request.may_shrink = request.may_shrink || request.may_shrink_batch;
  request.kept_batch = kept_batch;
  if (!on_processor_) {
    request.device = worker_.backend->name();
    request.overhead_bytes = worker_.overhead_bytes;
    request.collective_bytes = worker_.collective_bytes;
    request.speed = worker_.speed;
  } else {
    request.collective_bytes = comm.buffer_bytes();
  }
  count_loader(job(), graph().input(), request);
  own_bytes_ = device().used_bytes();
  std::vector<Refusal> refusals;
  while (!prepare(request, kernels, refusals)) continue;
  if (!training) return;
  inputs_.job.train.batch = plan().request.batch;
  inputs_.job.optimizer.learning_rate *= plan().learning_rate_factor();
}

bool Session::prepare(PlanRequest& request, const KernelSettings& kernels, std::vector<Refusal>& refusals) {
  Plan plan = make_plan(request, kernels, refusals.empty());
  plan.refusals = refusals;
  if (!plan.fits()) refuse_plan(plan, graph());
  const auto hash = static_cast<std::int64_t>(hash_of(plan.program, *worker_.backend));
  if (!all_agree(hash, *comm_, "plan hash")) {
    fail(ExitCode::usage,
         "rank {}: the ranks made different plans; run the same build on processors of one kind, and with "
         "the same job",
         comm_->rank());
  }
  std::string problem;
  try {
    executor_ = std::make_unique<Executor>(plan, graph(), *worker_.backend, device(), *comm_,
                                           optimizer_settings(job()), pixel_scale(job(), graph().input()),
                                           worker_.collectives.get());
    executor_->record_repeats(job().train.cuda_graphs);
  } catch (const Error& error) {
    if (error.code() != ExitCode::does_not_fit) throw;
    problem = error.what();
  } catch (const std::bad_alloc&) {
    problem = "the system has no memory left for the process";
  }
  const auto release = [&] {
    executor_.reset();
    device().reset_peak();
  };
  return all_have_arenas(problem, plan, release, device(), worker_.sharers, *comm_, request, refusals);
}

Plan Session::make_plan(const PlanRequest& request, const KernelSettings& kernels, bool first) {
  KernelSettings settings = kernels;
  settings.measure = kernels.measure && first;  // once; what was measured is in the cache
  KernelPlan made = plan_with_kernels(graph(), request, settings, *comm_, std::move(worker_.backend));
  worker_.backend = std::move(made.backend);
  kernels_ = std::move(made.kernels);
  if (first && on_processor_) {
    // For predictions alone: nothing in this run depends on it.
    for (std::string& warning : remember_link(*comm_, request.training ? settings.cache : "", threads_))
      kernels_.warnings.push_back(std::move(warning));
  }
  return std::move(made.plan);
}

std::string Session::device_line() const {
  return fmt::format("{}, {} a rank, {}", device().info().name, counted(threads_, "thread"),
                     worker_.libraries.empty() ? cpu_library_version() : worker_.libraries);
}

}  // namespace convoy
