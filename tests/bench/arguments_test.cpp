#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "layers/core/error.h"
#include "tests/bench/arguments.h"
#include "tests/launch/process.h"

// What is wrong with the command line of a benchmark is told with its usage, and exit code 2.

namespace convoy::test {
namespace {

using bench::Arguments;
using ::testing::HasSubstr;

/// What the words are refused with; "" where they are not.
template <class Read>
std::string refusal(std::vector<std::string> words, const Read& read) {
  Arguments arguments("tool WORD [number]", std::move(words));
  try {
    read(arguments);
    arguments.done();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("\nusage: tool WORD [number]"));
    return error.what();
  }
  return "";
}

TEST(BenchArguments, AreTakenInAnyOrderOfOptions) {
  const auto read = [](Arguments& arguments) {
    EXPECT_TRUE(arguments.flag("--fast"));
    EXPECT_FALSE(arguments.flag("--slow"));
    EXPECT_EQ(arguments.value("--to"), "there");
    EXPECT_EQ(arguments.number("--most"), 7);
    EXPECT_EQ(arguments.next("WORD"), "word");
    EXPECT_EQ(arguments.next_number("number", 64), 12);
    EXPECT_EQ(arguments.next_seconds("seconds", 60), 0.5);
    EXPECT_EQ(arguments.next("more", "none"), "none");
  };
  EXPECT_EQ(refusal({"--to", "there", "word", "--fast", "12", "--most", "7", "0.5"}, read), "");
}

TEST(BenchArguments, AreRefusedWithTheUsage) {
  const auto read = [](Arguments& arguments) {
    arguments.number("--most");
    arguments.next("WORD");
    arguments.next_number("number", 64);
    arguments.next_seconds("seconds", 60);
  };
  EXPECT_THAT(refusal({}, read), HasSubstr("WORD is missing"));
  for (const char* word : {"x", "0", "-3", "1.5", "12k", "", "99999999999999999999"})
    EXPECT_THAT(refusal({"word", word}, read), HasSubstr(" is not a whole number from 1")) << word;
  for (const char* word : {"x", "0", "nan", "inf", "1s"})
    EXPECT_THAT(refusal({"word", "1", word}, read), HasSubstr(" is not a number above 0")) << word;
  EXPECT_THAT(refusal({"word", "--most", "-1"}, read),
              HasSubstr("--most: \"-1\" is not a whole number from 0"));
  EXPECT_THAT(refusal({"word", "--most"}, read), HasSubstr("--most: its value is missing"));
  EXPECT_THAT(refusal({"word", "--abacus"}, read), HasSubstr("unknown option \"--abacus\""));
  EXPECT_THAT(refusal({"word", "1", "1", "more"}, read), HasSubstr("one word too many: \"more\""));
}

TEST(BenchArguments, OfEveryProgramAreRefusedWithExitCode2) {
  const std::string folder = std::filesystem::read_symlink("/proc/self/exe").parent_path().string() + "/";
  const std::filesystem::path scratch =
      std::filesystem::temp_directory_path() / ("convoy-bench-" + std::to_string(getpid()));
  std::filesystem::create_directories(scratch);
  const std::string net = std::string(CONVOY_SOURCE) + "/configs/nets/lenet.toml";
  const std::vector<std::vector<std::string>> calls{
      {"plan_bench", "configs/nets", "x"},
      {"decode_bench", "x"},
      {"kernel_trials", net, "x"},
      {"pack_arena", "--effort", "x", "A.csv"},
      {"data_scale_bench", (scratch / "set").string(), "x"},
      {"train_step", net, "x"},
  };
  for (std::vector<std::string> words : calls) {
    const std::string name = words[0];
    words[0].insert(0, folder);
    const Ended ended = run(words, scratch.string());
    EXPECT_EQ(ended.code, 2) << ended.all();
    EXPECT_THAT(ended.err, ::testing::StartsWith(name + ": "));
    EXPECT_THAT(ended.err, HasSubstr("\"x\" is not a whole number"));
    EXPECT_THAT(ended.err, HasSubstr("\nusage: " + name + " "));
    EXPECT_EQ(ended.out, "");
    const Ended help = run({words[0], "--help"}, scratch.string());
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, ::testing::StartsWith("usage: " + name + " "));
  }
  EXPECT_FALSE(std::filesystem::exists(scratch / "set")) << "nothing is made for a wrong command line";
  std::filesystem::remove_all(scratch);
}

}  // namespace
}  // namespace convoy::test
