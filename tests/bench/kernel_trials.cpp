// Tries the kernels of all convolutions of a network and prints what each way takes, the costliest first; for
// judging the rules of thumb. Nothing is trained, no cache is read or written.
//   build/tests/bench/kernel_trials NET.toml [batch] [threads] [seconds] [--bf16]

#include <fmt/format.h>

#include <algorithm>

#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "trainer/kernels/kernel_plan.h"

namespace {

using namespace convoy;

int run(std::vector<std::string> words) {
  PlanRequest request;
  request.evaluate = false;
  if (std::erase(words, "--bf16") > 0) request.precision = DType::bf16;
  if (words.empty())
    fail(ExitCode::usage, "usage: kernel_trials NET.toml [batch] [threads] [seconds] [--bf16]");
  request.samples = request.batch = words.size() > 1 ? std::stoll(words[1]) : 64;
  request.limit_bytes = CpuDevice().info().free_bytes;
  set_cpu_threads(words.size() > 2 ? std::stoi(words[2]) : usable_cores());
  KernelSettings settings;
  settings.measure = true;
  settings.budget_seconds = words.size() > 3 ? std::stod(words[3]) : 60;
  const Graph graph = read_network(words[0]);
  const KernelPlan made = plan_with_kernels(graph, request, settings, *make_single());
  fmt::print("{}, batch {}, {}\n{}\n", graph.name(), request.batch, made.kernels.table.conditions,
             made.kernels.line());
  for (const std::string& line : made.kernels.details()) fmt::print("{}\n", line);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& problem) {
    fmt::print(stderr, "kernel_trials: {}\n", problem.what());
    return 2;
  }
}
