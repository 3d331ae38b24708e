// Times whole training steps of a network, data in memory: images/s, and where the time of a step goes.
//   build/tests/bench/train_step NET.toml [batch] [threads] [steps] [--device cuda] [--bf16|--fp16] [--table]
//     [--default-kernels] [--ask]
// Kernels are measured first, as for users; that is no part of the time of a step. Prints one JSON line:
// median images/s over blocks of steps, and shares of the step. With --ask a line when it is ready, and one
// for each line of standard input, which holds the seconds to measure; so another program can be measured in
// turn.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "layers/core/clock.h"
#include "tests/bench/arguments.h"
#include "trainer/timing.h"

namespace {

using namespace convoy;

constexpr int kBlocks = 7;

struct Job {
  std::string network;
  std::int64_t batch = 64;
  int threads = 2;
  int steps = 50;
  bool table = false;
  bool measured = true;  ///< kernels are chosen by measurement
  bool ask = false;
  std::string device = "cpu";
  DType precision = DType::f32;
};

Job read_arguments(bench::Arguments& arguments) {
  Job job;
  job.table = arguments.flag("--table");
  if (arguments.flag("--bf16")) job.precision = DType::bf16;
  if (arguments.flag("--fp16")) job.precision = DType::f16;
  job.ask = arguments.flag("--ask");
  job.device = arguments.value("--device").value_or(job.device);
  if (job.device != "cpu" && job.device != "cuda") arguments.refuse("--device: expected cpu or cuda");
  job.measured = !arguments.flag("--default-kernels");
  job.network = arguments.next("NET.toml");
  job.batch = arguments.next_number("batch", job.batch);
  job.threads = static_cast<int>(arguments.next_number("threads", job.threads));
  job.steps = static_cast<int>(arguments.next_number("steps", job.steps));
  arguments.done();
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

/// Images/s over about so many seconds.
double rate_over(TimedTraining& training, double seconds) {
  const auto start = Clock::now();
  std::int64_t done = 0;
  std::int64_t steps = 1;
  while (true) {
    for (std::int64_t i = 0; i < steps; ++i) training.step();
    training.executor().synchronize();
    done += steps;
    const double taken = seconds_since(start);
    if (taken >= seconds) return static_cast<double>(done * training.settings().batch) / taken;
    const double more = static_cast<double>(done) * (seconds - taken) / taken;
    steps = std::clamp<std::int64_t>(static_cast<std::int64_t>(more), 1, 4 * steps);
  }
}

void answer(TimedTraining& training) {
  const Plan& plan = training.executor().plan();
  fmt::print(
      "{}\n",
      boost::json::serialize(boost::json::object{
          {"device", training.device_name()},
          {"library", training.library()},
          {"kernels", training.kernels().line()},
          {"micro_batch", plan.micro_batch},
          {"arena_bytes", plan.arena_bytes()},
          {"projected_bytes", plan.projected_bytes()},
          {"loss", training.executor().metrics().loss / static_cast<double>(training.settings().batch)}}));
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const double rate = rate_over(training, std::stod(line));
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"images_per_second", rate}}));
    std::fflush(stdout);
  }
}

int run(bench::Arguments& arguments) {
  const Job job = read_arguments(arguments);
  KernelSettings kernels;
  if (job.measured) kernels = measured_kernels();
  if (job.device == "cuda") kernels.budget_seconds = 20;  // a user's later starts go on where the first ended
  TimedTraining training(read_network(job.network), {.batch = job.batch,
                                                     .precision = job.precision,
                                                     .threads = job.threads,
                                                     .device = job.device,
                                                     .kernels = kernels});
  Executor& executor = training.executor();
  for (int i = 0; i < 5; ++i) training.step();
  executor.synchronize();
  if (job.ask) {
    answer(training);
    return 0;
  }
  const StepTimes before = executor.times();
  std::vector<double> rates;
  const auto begin = Clock::now();
  for (int block = 0; block < kBlocks; ++block) {
    const auto start = Clock::now();
    for (int i = 0; i < job.steps; ++i) training.step();
    executor.synchronize();
    rates.push_back(static_cast<double>(job.batch * job.steps) / seconds_since(start));
  }
  const double total = seconds_since(begin);
  std::sort(rates.begin(), rates.end());
  const StepTimes after = executor.times();
  if (job.table) print_table(executor, kBlocks * job.steps + 5);
  fmt::print("{}\n", boost::json::serialize(boost::json::object{
                         {"network", training.graph().name()},
                         {"batch", job.batch},
                         {"precision", name_of(job.precision)},
                         {"threads", job.threads},
                         {"kernels", training.kernels().line()},
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
  return convoy::bench::run_program(
      argc, argv,
      "train_step NET.toml [batch] [threads] [steps] [--device cpu|cuda] [--bf16|--fp16] [--table] "
      "[--default-kernels] [--ask]",
      run);
}
