// Packs files of blocks `id,lower,upper,size` into an arena, as the planner packs tensors, and prints one
// line for each.

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "tests/bench/arena_csv.h"
#include "trainer/planner/arena_layout.h"

namespace {

using namespace convoy;

constexpr const char* kUsage =
    "usage: pack_arena FILE.csv... [options]\n"
    "  FILE.csv           lines id,lower,upper,size under that header: bytes that are alive from step lower\n"
    "                     up to but not including step upper\n"
    "  --capacity BYTES   stop when these are enough; exit code 3 if they are not reached\n"
    "  --alignment BYTES  of offsets, a power of two (1)\n"
    "  --effort N         visits of blocks and steps by the exact search (500000000, about 1 s); 0: first "
    "fit\n"
    "  --output FILE      write the offsets as a further column (with one input file)\n";

struct Job {
  std::vector<std::string> files;
  std::string output;
  std::int64_t alignment = 1;
  std::optional<std::int64_t> capacity;
  LayoutOptions options;
};

std::int64_t number(const std::string& option, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < 0) {
    fail(ExitCode::usage, "{}: \"{}\" is not a whole number from 0 on", option, text);
  }
  return value;
}

Job read_arguments(int argc, char** argv) {
  Job job;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      job.files.push_back(word);
      continue;
    }
    if (i + 1 == argc) fail(ExitCode::usage, "{}: unknown, or its value is missing\n{}", word, kUsage);
    const std::string value = argv[++i];
    if (word == "--capacity") {
      job.options.enough = job.capacity.emplace(number(word, value));
    } else if (word == "--alignment") {
      job.alignment = number(word, value);
    } else if (word == "--effort") {
      job.options.effort = number(word, value);
    } else if (word == "--output") {
      job.output = value;
    } else {
      fail(ExitCode::usage, "{}: unknown\n{}", word, kUsage);
    }
  }
  if (job.files.empty()) fail(ExitCode::usage, "no file is given\n{}", kUsage);
  if (!job.output.empty() && job.files.size() > 1) fail(ExitCode::usage, "--output takes one input file");
  if (job.alignment < 1 || job.alignment > 1 << 20 || (job.alignment & (job.alignment - 1)) != 0) {
    fail(ExitCode::usage, "--alignment: {} is not a power of two up to 1048576", job.alignment);
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

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2 && (std::string(argv[1]) == "--help" || std::string(argv[1]) == "-h")) {
      fmt::print("{}", kUsage);
      return 0;
    }
    const Job job = read_arguments(argc, argv);
    bool all_fit = true;
    for (const std::string& file : job.files) all_fit = pack(job, file) && all_fit;
    return all_fit ? 0 : static_cast<int>(ExitCode::does_not_fit);
  } catch (const Error& problem) {
    fmt::print(stderr, "pack_arena: {}\n", problem.what());
    return static_cast<int>(problem.code());
  } catch (const std::exception& problem) {
    fmt::print(stderr, "pack_arena: {}\n", problem.what());
    return 2;
  }
}
