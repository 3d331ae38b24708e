#include <fmt/format.h>

#include <array>

#include "launch/command.h"
#include "launch/data_folders.h"
#include "layers/core/error.h"
#include "layers/core/text.h"

namespace convoy {
namespace {

constexpr std::array<Command, 5> kParts{{
    {"index", "list a folder's images, or shards', once, so that training starts at once", data_index},
    {"pack", "write a folder's images into tar shards, resized if wanted", data_pack},
    {"check", "decode every image and name those that are broken", data_check},
    {"mean", "mean, deviation and principal colours of all images", data_mean},
    {"show", "a sheet of augmented samples as a PNG file, to look at", data_show},
}};

void print_help() {
  fmt::print(
      "usage: convoy data PART DIR [options]\n\nImages in folders, one for each class, or in tar "
      "shards.\n\nparts:\n");
  for (const Command& part : kParts) fmt::print("  {:<10}{}\n", part.name, part.summary);
  fmt::print("\nconvoy data PART --help tells a part's options.\n");
}

}  // namespace

int data_command(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    print_help();
    return arguments.empty() ? static_cast<int>(ExitCode::usage) : 0;
  }
  std::vector<std::string> names;
  for (const Command& part : kParts) {
    if (arguments[0] == part.name) return part.run({arguments.begin() + 1, arguments.end()});
    names.emplace_back(part.name);
  }
  fail(ExitCode::usage, "convoy data: unknown part \"{}\"{}; parts are {}", arguments[0],
       did_you_mean(arguments[0], names), join(names));
}

}  // namespace convoy
