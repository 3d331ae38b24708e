#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launch/process.h"
#include "tests/trainer/job_folder.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Ended call(const std::vector<std::string>& words) {
  const JobFolder folder;
  return run(convoy(words), folder.path(""));
}

const std::vector<std::string> kCommands{"train", "eval", "predict", "inspect", "plan", "convert", "devices"};

TEST(CommandLine, EveryCommandHasHelp) {
  for (const std::string& command : kCommands) {
    for (const char* option : {"--help", "-h"}) {
      const Ended ended = call({command, option});
      EXPECT_EQ(ended.code, 0);
      EXPECT_THAT(ended.out, StartsWith("usage: convoy " + command));
      EXPECT_THAT(ended.out, HasSubstr("--json"));
      EXPECT_EQ(ended.err, "");
    }
  }
}

TEST(CommandLine, HelpNamesEveryCommandAndExitCode) {
  for (const char* word : {"--help", "-h", "help"}) {
    const Ended ended = call({word});
    EXPECT_EQ(ended.code, 0);
    for (const std::string& command : kCommands) EXPECT_THAT(ended.out, HasSubstr("\n  " + command + " "));
    for (const char* code :
         {"0 done", "2 wrong", "3 does not fit", "4 data", "5 a rank", "6 diverged", "75 stopped"}) {
      EXPECT_THAT(ended.out, HasSubstr(code));
    }
  }
  EXPECT_EQ(call({}).code, 2);
  EXPECT_THAT(call({"--version"}).out, StartsWith("convoy 0."));
}

TEST(CommandLine, TrainHelpHasTheKeysOfTheJobFile) {
  const std::string help = call({"train", "--help"}).out;
  for (const char* key :
       {"learning_rate", "micro_batch", "timeout_seconds", "every_iterations", "[memory]"}) {
    EXPECT_THAT(help, HasSubstr(key));
  }
}

/// A wrong command line and a part of its one-line answer.
struct Mistake {
  std::vector<std::string> words;
  std::string answer;
};

TEST(CommandLine, MistakesAreExplainedInOneLine) {
  const std::vector<Mistake> mistakes{
      {{"trian"}, "unknown command \"trian\" (did you mean \"train\"?)"},
      {{"train"}, "JOB.toml is missing; usage: convoy train"},
      {{"eval"}, "RUN is missing; usage: convoy eval"},
      {{"inspect"}, "NET.toml is missing; usage: convoy inspect"},
      {{"train", "j.toml", "--jsn"},
       "unknown option \"--jsn\" (did you mean \"--json\"?); see convoy train --help"},
      {{"train", "j.toml", "--run"}, "unknown option \"--run\""},
      {{"train", "j.toml", "--run-dir"}, "--run-dir"},
      {{"plan", "j.toml", "--ranks", "0"}, "--ranks 0 is out of range"},
      {{"plan", "j.toml", "--ranks", "two"}, "--ranks"},
      {{"inspect", "n.toml", "--batch", "-1"}, "--batch"},
      {{"inspect", "n.toml", "--json", "--dot"}, "exclude each other"},
      {{"plan", "j.toml", "--device", "toaster"}, "toaster"},
      {{"devices", "everything"}, "convoy devices --help"},
      {{"train", "j.toml", "k.toml"}, "convoy train --help"},
      {{"train", "/no/such/job.toml"}, "/no/such/job.toml"},
      {{"inspect", "/no/such/net.toml"}, "/no/such/net.toml"},
      {{"eval", "/no/such/run"}, "/no/such/run"},
      {{"predict", "/no/such/run", "--index", "1"}, "/no/such/run"},
      {{"predict", "/no/such/run"}, "nothing to classify"},
  };
  for (const Mistake& mistake : mistakes) {
    const Ended ended = call(mistake.words);
    EXPECT_EQ(ended.code, 2) << mistake.answer;
    EXPECT_THAT(ended.err, StartsWith("convoy: "));
    EXPECT_THAT(ended.err, HasSubstr(mistake.answer));
    EXPECT_EQ(count_of("\n", ended.err), 1) << ended.err;
    const bool json = std::ranges::count(mistake.words, "--json") > 0;
    EXPECT_EQ(count_of("\n", ended.out), json ? 1 : 0) << ended.out;  // json_errors_test.cpp
  }
}

}  // namespace
}  // namespace convoy::test
