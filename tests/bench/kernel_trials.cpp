// Tries the kernels of all convolutions of a network and prints what each way takes, the costliest first; for
// judging the rules of thumb. Nothing is trained, no cache is read or written.
//   build/tests/bench/kernel_trials NET.toml [batch] [threads] [seconds] [--bf16]

#include <fmt/format.h>

#include <algorithm>

#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "tests/bench/arguments.h"
#include "trainer/kernels/kernel_plan.h"

namespace {

using namespace convoy;

int run(bench::Arguments& arguments) {
  PlanRequest request;
  request.evaluate = false;
  if (arguments.flag("--bf16")) request.precision = DType::bf16;
  const std::string network = arguments.next("NET.toml");
  request.samples = request.batch = arguments.next_number("batch", 64);
  request.limit_bytes = CpuDevice().info().free_bytes;
  set_cpu_threads(static_cast<int>(arguments.next_number("threads", usable_cores())));
  KernelSettings settings;
  settings.measure = true;
  settings.budget_seconds = arguments.next_seconds("seconds", 60);
  arguments.done();
  const Graph graph = read_network(network);
  const KernelPlan made = plan_with_kernels(graph, request, settings, *make_single());
  fmt::print("{}, batch {}, {}\n{}\n", graph.name(), request.batch, made.kernels.table.conditions,
             made.kernels.line());
  for (const std::string& line : made.kernels.details()) fmt::print("{}\n", line);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return convoy::bench::run_program(argc, argv, "kernel_trials NET.toml [batch] [threads] [seconds] [--bf16]",
                                    run);
}
