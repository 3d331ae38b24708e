#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "launch/command.h"
#include "launch/ranks.h"
#include "launch/report_error.h"
#include "launch/spinning.h"
#include "layers/core/error.h"
#include "layers/core/text.h"

namespace {

using namespace convoy;

constexpr std::array<Command, 9> kCommands{{
    {"train", "train the network of a job file, on all ranks", train_command, true},
    {"eval", "loss and accuracy of a run on its test set", eval_command, true},
    {"predict", "class and probabilities of images", predict_command},
    {"inspect", "layers, shapes, parameters and cost of a network file", inspect_command},
    {"plan", "memory that a job takes, by category, and whether it fits", plan_command},
    {"time", "where the time of a training step goes, layer by layer", time_command},
    {"convert", "a network and its weights in another form, as fully convolutional", convert_command},
    {"data", "images in folders and tar shards: index, pack, check, mean, show", data_command},
    {"devices", "devices of this machine", devices_command},
}};

void print_help() {
  fmt::print(
      "usage: convoy COMMAND [options]\n\nConvoy {} trains convolutional networks, one MPI process per "
      "device.\n\ncommands:\n",
      kVersion);
  for (const Command& command : kCommands) fmt::print("  {:<10}{}\n", command.name, command.summary);
  fmt::print(
      "\nconvoy COMMAND --help tells a command's options.\n"
      "exit codes: 0 done, 1 internal fault or full disk, 2 wrong usage or file, 3 does not fit, 4 data,\n"
      "            5 a rank was lost or stuck, 6 diverged, 75 stopped on request with a checkpoint\n");
}

int run(const std::vector<std::string>& words) {
  if (words.size() > 1 && words[0] == "help") return run({words[1], "--help"});
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_help();
    return words.empty() ? static_cast<int>(ExitCode::usage) : 0;
  }
  if (words[0] == "--version") {
    fmt::print("convoy {}\n", kVersion);
    return 0;
  }
  for (const Command& command : kCommands) {
    if (words[0] != command.name) continue;
    if (!command.by_all_ranks && rank_from_environment() > 0) return 0;
    return command.run({words.begin() + 1, words.end()});
  }
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  fail(ExitCode::usage, "unknown command \"{}\"{}; commands are {}", words[0], did_you_mean(words[0], names),
       join(names));
}

}  // namespace

int main(int argc, char** argv) {
  limit_spinning(argv);
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto report = [&](ExitCode code, const std::string& message) {
    fmt::print(stderr, "convoy: {}\n", message);
    // What is wrong with a command line every rank finds; that a rank was lost, its supervisor alone.
    const bool tells = rank_from_environment() == 0 || code == ExitCode::lost_rank;
    if (tells && asks_for_json(words)) print_error_json(code, message);
    return static_cast<int>(code);
  };
  try {
    const int code = run(words);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      fail(ExitCode::internal, "cannot write to standard output: {}", std::strerror(errno));
    return code;
  } catch (const Error& error) {
    return report(error.code(), error.what());
  } catch (const std::exception& error) {
    return report(ExitCode::internal, fmt::format("internal fault: {}", error.what()));
  }
}
