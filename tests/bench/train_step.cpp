// Times whole training steps of a network on the CPU, data in memory: images/s, and where the time of a step
// goes.
//   build/tests/bench/train_step NET.toml [batch] [threads] [steps] [--bf16] [--table]
// Prints one JSON line: median images/s over blocks of steps, and shares of the step.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstring>
#include <numeric>

#include "layers/core/clock.h"
#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "trainer/executor.h"
#include "trainer/parameters.h"

namespace {

using namespace convoy;

constexpr int kBlocks = 7;

struct Job {
  std::string network;
  std::int64_t batch = 64;
  int threads = 2;
  int steps = 50;
  bool table = false;
  DType precision = DType::f32;
};

Job read_arguments(int argc, char** argv) {
  Job job;
  std::vector<std::string> words(argv + 1, argv + argc);
  job.table = std::erase(words, "--table") > 0;
  if (std::erase(words, "--bf16") > 0) job.precision = DType::bf16;
  if (words.empty())
    fail(ExitCode::usage, "usage: train_step NET.toml [batch] [threads] [steps] [--bf16] [--table]");
  job.network = words[0];
  if (words.size() > 1) job.batch = std::stoll(words[1]);
  if (words.size() > 2) job.threads = std::stoi(words[2]);
  if (words.size() > 3) job.steps = std::stoi(words[3]);
  return job;
}

void print_table(const Executor& executor, int steps) {
  const Program& program = executor.plan().program;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    fmt::print("{:8.1f} us  {:<44} {}\n", executor.step_seconds()[s] * 1e6 / steps, step.name,
               step.lowered ? step.lowered->implementation(step.pass) : "");
  }
}

int run(const Job& job) {
  set_cpu_threads(job.threads);
  const Graph graph = read_network(job.network);
  const auto backend = make_cpu_backend();
  CpuDevice device;
  const auto comm = make_single();
  PlanRequest request;
  request.samples = request.batch = job.batch;
  request.evaluate = false;
  request.precision = job.precision;
  request.limit_bytes = device.info().free_bytes;
  OptimizerSettings optimizer;
  optimizer.weight_decay = 5e-4F;
  const std::size_t channels = static_cast<std::size_t>(graph.input().channels);
  const PixelScale scale{std::vector<float>(channels, 128), std::vector<float>(channels, 64)};
  Executor executor(make_plan(graph, request, *backend), graph, *backend, device, *comm, optimizer, scale);
  initialise(executor, 1);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(job.batch * graph.input().elements()));
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 13);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(job.batch));
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::int32_t>(static_cast<std::int64_t>(i) % graph.classes());
  const Segment& segment = executor.plan().program.segments.front();
  StepContext context;
  context.learning_rate = 1e-3F;
  context.valid_samples = job.batch;
  context.sample_weight = 1 / static_cast<float>(job.batch);
  const auto step = [&] {
    executor.load(segment, pixels.data(), labels.data(), job.batch);
    executor.run(segment, context, true);
    executor.update(context);
    ++context.iteration;
  };
  for (int i = 0; i < 5; ++i) step();
  const StepTimes before = executor.times();
  std::vector<double> rates;
  const auto begin = Clock::now();
  for (int block = 0; block < kBlocks; ++block) {
    const auto start = Clock::now();
    for (int i = 0; i < job.steps; ++i) step();
    const double seconds = seconds_since(start);
    rates.push_back(static_cast<double>(job.batch * job.steps) / seconds);
  }
  const double total = seconds_since(begin);
  std::sort(rates.begin(), rates.end());
  const StepTimes after = executor.times();
  if (job.table) print_table(executor, kBlocks * job.steps + 5);
  fmt::print("{}\n", boost::json::serialize(boost::json::object{
                         {"network", graph.name()},
                         {"batch", job.batch},
                         {"precision", name_of(job.precision)},
                         {"threads", job.threads},
                         {"images_per_second", rates[kBlocks / 2]},
                         {"outside_kernels_share", 1 - (after.kernels - before.kernels) / total},
                         {"reorder_share", (after.reorders - before.reorders) / total},
                         {"input_share", (after.input - before.input) / total},
                         {"loss", executor.metrics().loss / static_cast<double>(job.batch)},
                         {"arena_bytes", executor.plan().arena_bytes()}}));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(read_arguments(argc, argv));
  } catch (const std::exception& problem) {
    fmt::print(stderr, "train_step: {}\n", problem.what());
    return 2;
  }
}
