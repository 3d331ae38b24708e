// Packs files of blocks `id,lower,upper,size` into an arena, as the planner packs tensors, and prints one
// line for each.

#include <fmt/format.h>

#include <optional>

#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "tests/bench/arena_csv.h"
#include "tests/bench/arguments.h"
#include "trainer/planner/arena_layout.h"

namespace {

using namespace convoy;

constexpr const char* kUsage =
    "pack_arena FILE.csv... [options]\n"
    "  FILE.csv           lines id,lower,upper,size under that header: bytes that are alive from step lower\n"
    "                     up to but not including step upper\n"
    "  --capacity BYTES   stop when these are enough; exit code 3 if they are not reached\n"
    "  --alignment BYTES  of offsets, a power of two (1)\n"
    "  --effort N         visits of blocks and steps by the exact search (500000000, about 1 s); 0: first "
    "fit\n"
    "  --output FILE      write the offsets as a further column (with one input file)";

struct Job {
  std::vector<std::string> files;
  std::string output;
  std::int64_t alignment = 1;
  std::optional<std::int64_t> capacity;
  LayoutOptions options;
};

Job read_arguments(bench::Arguments& arguments) {
  Job job;
  job.capacity = arguments.number("--capacity");
  job.options.enough = job.capacity.value_or(job.options.enough);
  job.alignment = arguments.number("--alignment").value_or(job.alignment);
  job.options.effort = arguments.number("--effort").value_or(job.options.effort);
  job.output = arguments.value("--output").value_or("");
  job.files.push_back(arguments.next("FILE.csv"));
  while (!arguments.empty()) job.files.push_back(arguments.next("FILE.csv"));
  if (!job.output.empty() && job.files.size() > 1) arguments.refuse("--output takes one input file");
  if (job.alignment < 1 || job.alignment > 1 << 20 || (job.alignment & (job.alignment - 1)) != 0) {
    arguments.refuse(fmt::format("--alignment: {} is not a power of two up to 1048576", job.alignment));
  }
  return job;
}

/// Whether the file fits.
bool pack(const Job& job, const std::string& file) {
  const ArenaProblem problem = read_arena_csv(file);
  const auto start = Clock::now();
  const ArenaLayout layout = lay_out(problem.blocks, job.alignment, job.options);
  const double seconds = seconds_since(start);
  check_layout(problem.blocks, layout, job.alignment);
  if (!job.output.empty()) write_arena_csv(job.output, problem, layout.offsets);
  const bool fits = !job.capacity || layout.bytes <= *job.capacity;
  const double ratio = layout.lower_bound > 0
                           ? static_cast<double>(layout.bytes) / static_cast<double>(layout.lower_bound)
                           : 1;
  fmt::print("{}: {} blocks, {} bytes, lower bound {}, ratio {:.4f}, {:.3f} s, {}{}{}\n", file,
             problem.blocks.size(), layout.bytes, layout.lower_bound, ratio, seconds, name_of(layout.method),
             layout.optimal ? ", optimal" : "", fits ? "" : ", DOES NOT FIT");
  return fits;
}

int run(bench::Arguments& arguments) {
  const Job job = read_arguments(arguments);
  bool all_fit = true;
  for (const std::string& file : job.files) all_fit = pack(job, file) && all_fit;
  return all_fit ? 0 : static_cast<int>(ExitCode::does_not_fit);
}

}  // namespace

int main(int argc, char** argv) { return convoy::bench::run_program(argc, argv, kUsage, run); }
