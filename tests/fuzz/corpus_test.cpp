#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "tests/fuzz/fuzz_targets.h"
#include "tests/trainer/data/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

// Every input that fuzzers found worth keeping, in the ordinary build: also under its sanitizers.
TEST(FuzzCorpus, PassesEveryTarget) {
  const std::map<std::string, void (*)(std::span<const std::uint8_t>)> targets{
      {"tar", fuzz_tar}, {"index", fuzz_index}, {"image", fuzz_image}, {"list", fuzz_list}};
  for (const auto& [name, target] : targets) {
    int inputs = 0;
    for (const auto& file : fs::directory_iterator(CONVOY_SOURCE "/tests/fuzz/corpus/" + name)) {
      target(read_bytes(file.path().string()));
      ++inputs;
    }
    EXPECT_GE(inputs, 5) << name;
  }
}

}  // namespace
}  // namespace convoy
