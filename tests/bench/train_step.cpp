// Times whole training steps of a network on the CPU, data in memory: images/s, and where the time of a step
// goes.
//   build/tests/bench/train_step NET.toml [batch] [threads] [steps] [--bf16] [--table] [--default-kernels]
// Kernels are measured first, as for users; that is no part of the time of a step. Prints one JSON line:
// median images/s over blocks of steps, and shares of the step.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "layers/core/clock.h"
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
  DType precision = DType::f32;
};

Job read_arguments(int argc, char** argv) {
  Job job;
  std::vector<std::string> words(argv + 1, argv + argc);
  job.table = std::erase(words, "--table") > 0;
  if (std::erase(words, "--bf16") > 0) job.precision = DType::bf16;
  job.measured = std::erase(words, "--default-kernels") == 0;
  if (words.empty()) {
    fail(ExitCode::usage,
         "usage: train_step NET.toml [batch] [threads] [steps] [--bf16] [--table] [--default-kernels]");
  }
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
  TimedTraining training(read_network(job.network),
                         {.batch = job.batch,
                          .precision = job.precision,
                          .threads = job.threads,
                          .kernels = job.measured ? measured_kernels() : KernelSettings{}});
  Executor& executor = training.executor();
  for (int i = 0; i < 5; ++i) training.step();
  const StepTimes before = executor.times();
  std::vector<double> rates;
  const auto begin = Clock::now();
  for (int block = 0; block < kBlocks; ++block) {
    const auto start = Clock::now();
    for (int i = 0; i < job.steps; ++i) training.step();
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
  try {
    return run(read_arguments(argc, argv));
  } catch (const std::exception& problem) {
    fmt::print(stderr, "train_step: {}\n", problem.what());
    return 2;
  }
}
