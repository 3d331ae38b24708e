#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/launch/json_of.h"
#include "tests/trainer/job_folder.h"

// Memory on the command line: what the words of [memory] may be, plan.html, and evaluation in little memory.
namespace convoy::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class MemoryCommands : public ::testing::Test {
 protected:
  MemoryCommands()
      : job_(folder_.write_job(kTinyNetwork,
                               "samples = 40\ntest_samples = 37\n[train]\nbatch = 16\nepochs = 1\n")) {}
  Ended call(const std::vector<std::string>& words) const { return run(convoy(words), folder_.path("")); }
  boost::json::object object_of(const std::vector<std::string>& words) const {
    return test::object_of(call(words));
  }

  JobFolder folder_;
  std::string job_;
};

TEST_F(MemoryCommands, WrongWordsAreExplained) {
  const std::vector<std::pair<std::string, std::string>> settings{
      {"memory.limit=0", "\"0\" is too small; it must be at least 1 B"},
      {"memory.limit=-1", "\"-1\" is not a size"},
      {"memory.limit=12 parsecs", "\"12 parsecs\" is not a size"},
      {"memory.limit=9000TiB", "[memory] limit = \"9000TiB\" is more than the device has ("},
      {"memory.reserve=9000TiB", "leaves nothing of the limit of"},
      {"memory.workspace=some", "\"some\" is not a size"},
      {"memory.allow=[\"recompte\"]", "\"recompte\" is not known (did you mean \"recompute\"?); known are"},
      {"memory.allow=[\"recompute\", \"recompute\"]", "\"recompute\" stands twice"},
      {"device=gpu", "\"gpu\" is not known"},
      {"comm.gradients=nccl", "with device = \"auto\" the processor trains"},
      {"threads=4096", "threads = 4096 is more than 32 for each of the "},
  };
  for (const auto& [set, answer] : settings) {
    for (const char* command : {"plan", "train"}) {
      std::vector<std::string> words{command, job_, "--set", set};
      if (std::string(command) == "train") words.insert(words.end(), {"--run-dir", folder_.path("run")});
      const Ended ended = call(words);
      EXPECT_EQ(ended.code, 2) << set << ended.all();
      EXPECT_THAT(ended.err, HasSubstr(answer)) << command;
      EXPECT_EQ(count_of("\n", ended.err), 1) << ended.err;
    }
  }
  const std::vector<std::pair<std::vector<std::string>, std::string>> options{
      {{"--memory-limit", "0"}, "--memory-limit \"0\" is too small"},
      {{"--memory-limit", "-4GiB"}, "--memory-limit"},
      {{"--memory-limit", "12 parsecs"}, "\"12 parsecs\" is not a size"},
      {{"--memory-limit", "9000TiB"}, "convoy: --memory-limit 9000TiB is more than the device has ("},
      {{"--memory-limit", "4k"}, "--memory-limit \"4k\" is not a size; write a number of bytes, or"},
      {{"--device", "abacus"}, "--device \"abacus\" is not known; known are cpu, "},
      {{"--batch", "4"}, "--batch goes with --inference"},
      {{"--inference", "--batch", "0"}, "--batch 0 is out of range"},
      {{"--html", folder_.path("no/such/folder/plan.html")}, "--html: cannot write"},
  };
  for (const auto& [words, answer] : options) {
    std::vector<std::string> all{"plan", job_};
    all.insert(all.end(), words.begin(), words.end());
    const Ended ended = call(all);
    EXPECT_EQ(ended.code, 2) << answer;
    EXPECT_THAT(ended.err, HasSubstr(answer));
  }
}

TEST_F(MemoryCommands, TheCapOfWorkspacesIsThatOfTheJob) {
  const auto plan = [&](const char* size, const char* device = "h100-80gb") {
    return object_of(
        {"plan", job_, "--json", "--device", device, "--set", std::string("memory.workspace=") + size});
  };
  EXPECT_EQ(plan("3MiB").at("workspace_bytes"), 3 << 20);
  EXPECT_EQ(plan("0").at("workspace_bytes"), 0);
  EXPECT_EQ(plan("auto").at("workspace_bytes"), 64 << 20);
  EXPECT_LT(plan("0").at("projected_bytes").as_int64(), plan("3MiB").at("projected_bytes").as_int64());
  EXPECT_EQ(plan("0", "cpu").at("workspace_bytes"), 0);
  EXPECT_EQ(plan("3MiB", "cpu").at("workspace_bytes"), 3 << 20);
  EXPECT_EQ(plan("0", "cpu").at("lean_passes").as_array().size(), 0U);
  EXPECT_LE(plan("0", "cpu").at("projected_bytes").as_int64(),
            plan("auto", "cpu").at("projected_bytes").as_int64());
}

TEST_F(MemoryCommands, ThePageIsWrittenForJobsThatFitAndThatDoNot) {
  const std::string page = folder_.path("plan.html");
  EXPECT_EQ(call({"plan", job_, "--html", page}).code, 0);
  EXPECT_THAT(read_text(page), HasSubstr("within the limit"));
  EXPECT_EQ(call({"plan", job_, "--html", page, "--memory-limit", "1000"}).code, 3);
  EXPECT_THAT(read_text(page), HasSubstr("does not fit: with"));
  ASSERT_EQ(call({"train", job_, "--run-dir", folder_.path("run")}).code, 0);
  EXPECT_THAT(read_text(folder_.path("run/plan.html")), HasSubstr("tiny"));
}

TEST_F(MemoryCommands, ARefusalNamesTheLeastLimitThatWillDo) {
  const auto train = [&](const std::string& run, std::int64_t limit, std::int64_t reserve) {
    return call({"train", job_, "--run-dir", folder_.path(run), "--set",
                 fmt::format("memory.limit={}", limit), "--set", fmt::format("memory.reserve={}", reserve)});
  };
  for (const std::int64_t reserve : {0, 5000}) {
    const Ended refused = train("run", reserve + 1000, reserve);
    EXPECT_EQ(refused.code, 3);
    const std::regex words(
        "the least memory.limit that will do is ([0-9]+) bytes(, memory.reserve included)?\n");
    std::smatch found;
    ASSERT_TRUE(std::regex_search(refused.err, found, words)) << refused.err;
    EXPECT_EQ(found[2].matched, reserve > 0);
    const std::int64_t least = std::stoll(found[1]);
    EXPECT_EQ(train("run", least - 1, reserve).code, 3);
    EXPECT_EQ(train(fmt::format("run-{}", reserve), least, reserve).code, 0);
  }
}

TEST_F(MemoryCommands, ARefusalNamesTheLoaderWhereItIsTooLarge) {
  const Ended refused = call({"train", job_, "--run-dir", folder_.path("run"), "--set", "memory.limit=1MiB",
                              "--set", "data.ahead=1000"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, ContainsRegex("Among the [0-9.]+ MiB are [0-9.]+ MiB for the data loader .fewer "
                                         "data.loader_threads or a smaller data.ahead"));
}

TEST_F(MemoryCommands, TheLeastLimitThatPlanNamesTrainsWithAReserveToo) {
  const std::vector<std::string> reserve{"--set", "memory.reserve=1MiB", "--set", "data.loader_threads=1"};
  std::vector<std::string> plan{"plan", job_, "--json"};
  plan.insert(plan.end(), reserve.begin(), reserve.end());
  const std::int64_t least = object_of(plan).at("smallest_limit_bytes").as_int64();
  for (const std::int64_t missing : {0, 1}) {
    std::vector<std::string> words{"train",     job_,
                                   "--run-dir", folder_.path("run" + std::to_string(missing)),
                                   "--set",     "memory.limit=" + std::to_string(least - missing)};
    words.insert(words.end(), reserve.begin(), reserve.end());
    EXPECT_EQ(call(words).code, missing == 0 ? 0 : 3) << least;
  }
}

TEST_F(MemoryCommands, ABatchOfMoreThanThereIsIsTold) {
  const std::string told = "train.batch = 64 is more than there are training images: an update takes all 40";
  const Ended larger = call({"train", job_, "--run-dir", folder_.path("64"), "--set", "train.batch=64"});
  EXPECT_EQ(larger.code, 0);
  EXPECT_EQ(count_of(told, larger.out), 1) << larger.out;
  EXPECT_THAT(read_text(folder_.path("64/log/rank-0.log")), HasSubstr(told));
  const Ended equal = call({"train", job_, "--run-dir", folder_.path("40"), "--set", "train.batch=40"});
  EXPECT_EQ(count_of("is more than there are", equal.out), 0) << equal.out;
  const std::string page = folder_.path("plan.html");
  EXPECT_EQ(count_of(told, call({"plan", job_, "--set", "train.batch=64", "--html", page}).out), 1);
  EXPECT_EQ(count_of(told, read_text(page)), 1);
  const boost::json::object plan = object_of({"plan", job_, "--json", "--set", "train.batch=64"});
  EXPECT_EQ(std::string(plan.at("notes").at(0).as_string()), told);
  EXPECT_EQ(plan.at("asked_global_batch"), 64);
  EXPECT_EQ(plan.at("global_batch"), 40);
  EXPECT_EQ(plan.at("global_batch"), plan.at("scaling").at(0).at("same_batch").at("global_batch"));
  EXPECT_EQ(summary_of(folder_.path("64")).at("global_batch"), 40);
  EXPECT_EQ(object_of({"plan", job_, "--json"}).at("notes").as_array().size(), 0U);
}

TEST_F(MemoryCommands, RanksWithoutSamplesAreTold) {
  const std::string told =
      "warning: 3 ranks share the 2 samples of an update, which leaves 1 rank without work; start at most "
      "2, ";
  const std::vector<std::pair<std::string, std::string>> ways{{"train.batch=2", "or raise train.batch"},
                                                              {"data.samples=2", "or train on more images"}};
  for (const auto& [set, advice] : ways) {
    const Ended planned = call({"plan", job_, "--ranks", "3", "--set", set});
    EXPECT_EQ(count_of(told + advice, planned.out), 1) << planned.all();
    const std::vector<std::string> words{"train", job_, "--run-dir", folder_.path(set), "--set", set};
    const Ended trained = run(mpi_convoy(3, words), folder_.path(""));
    EXPECT_EQ(trained.code, 0) << trained.all();
    EXPECT_EQ(count_of(told + advice, trained.out), 1) << trained.out;
  }
  EXPECT_EQ(count_of("without work", call({"plan", job_, "--ranks", "16"}).out), 0);
}

// What train refuses without looking at data, plan does too, where there are none.
TEST_F(MemoryCommands, WhatNeedsNoDataIsCheckedWithoutThem) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes{
      {{"data.kind=image-folder", "data.samples=9", "data.shorter_side=7"},
       "[data] shorter_side = 7 leaves no window of 8 x 8"},
      {{"data.kind=mnist"}, "the network tells 4 classes apart, but the data set \"mnist\" has 10"},
      {{"data.kind=mnist", "data.classes=4"}, "key \"classes\": is 4, but kind = \"mnist\" has 10 classes"},
      {{"data.classes=5"}, "the network tells 4 classes apart, but data.classes is 5"},
      {{"data.crop_padding=8"}, "[data] crop_padding = 8 would cut crops without a pixel"},
      {{"data.mean=[1, 2]"}, "[data] mean has 2 values, but the network takes 1 channel"},
      {{"data.hue=0.1"}, "hue"},
  };
  for (const auto& [sets, message] : mistakes) {
    for (const char* command : {"plan", "train"}) {
      std::vector<std::string> words{command, job_};
      if (words[0] == "train") words.insert(words.end(), {"--run-dir", folder_.path("run")});
      for (const std::string& set : sets) words.insert(words.end(), {"--set", set});
      const Ended ended = call(words);
      EXPECT_EQ(ended.code, 2) << message << ended.all();
      EXPECT_THAT(ended.err, HasSubstr(message)) << command;
    }
  }
}

TEST_F(MemoryCommands, NcclIsForThePlansOfGpus) {
  const auto plan = [&](const std::string& device) {
    return call({"plan", job_, "--set", "comm.gradients=nccl", "--device", device});
  };
  EXPECT_EQ(plan("h100-80gb").code, 0);
  const Ended refused = plan("cpu");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("\"nccl\" is for GPUs, and with device = \"cpu\""));
}

TEST_F(MemoryCommands, EvaluationTakesTheBatchThatFitsAndSaysSo) {
  const std::string folder = folder_.path("run");
  const boost::json::object summary = object_of({"train", job_, "--json", "--run-dir", folder});
  const boost::json::object ample = object_of({"plan", job_, "--inference", "--json"});
  EXPECT_EQ(ample.at("training"), false);
  EXPECT_EQ(ample.at("micro_batch"), 16);
  const std::int64_t one =
      object_of({"plan", job_, "--inference", "--batch", "1", "--json"}).at("projected_bytes").as_int64();
  EXPECT_EQ(ample.at("smallest_limit_bytes"), one);
  const std::int64_t limit = (one + ample.at("projected_bytes").as_int64()) / 2;
  const std::string set = fmt::format("memory.limit={}", limit);
  const boost::json::object less = object_of({"plan", job_, "--inference", "--json", "--set", set});
  const std::int64_t batch = less.at("micro_batch").as_int64();
  EXPECT_GT(batch, 1);
  EXPECT_LT(batch, 16);
  EXPECT_EQ(less.at("largest_batch"), batch);
  EXPECT_GT(object_of({"plan", job_, "--inference", "--batch", std::to_string(batch + 1), "--json"})
                .at("projected_bytes")
                .as_int64(),
            limit);
  const Ended ended = call({"eval", folder, "--json", "--set", set});
  ASSERT_EQ(ended.code, 0) << ended.all();
  EXPECT_THAT(ended.err, HasSubstr(fmt::format("to fit, evaluated in batches of {} in place of 16", batch)));
  const boost::json::object result = boost::json::parse(ended.out).as_object();
  EXPECT_EQ(result.at("top1"), summary.at("top1"));
  EXPECT_EQ(result.at("samples"), 37);
  EXPECT_NEAR(result.at("loss").as_double(), summary.at("loss").as_double(), 1e-6);
  EXPECT_EQ(call({"eval", folder, "--set", set, "--set", "memory.allow=[]"}).code, 3);
  EXPECT_EQ(call({"predict", folder, "--index", "1", "--set", set}).err, "") << "one image fits as it is";
}

TEST_F(MemoryCommands, TrainingEvaluatesInTheBatchesThatFitWithTheSameResults) {
  const std::string set = "train.evaluate_batch=370";
  const std::string images = "data.test_samples=370";
  const boost::json::object ample =
      object_of({"train", job_, "--json", "--set", set, "--set", images, "--run-dir", folder_.path("ample")});
  const std::int64_t training =
      object_of({"plan", job_, "--json", "--set", "train.evaluate_batch=1"}).at("projected_bytes").as_int64();
  ASSERT_LT(training, ample.at("projected_bytes").as_int64());
  const std::string limit = fmt::format("memory.limit={}", training);
  const Ended ended = call({"train", job_, "--json", "--set", set, "--set", images, "--set", limit,
                            "--run-dir", folder_.path("run")});
  ASSERT_EQ(ended.code, 0) << ended.all();
  EXPECT_THAT(ended.err, HasSubstr("to fit, evaluated in batches of "));
  const boost::json::object less = boost::json::parse(ended.out).as_object();
  EXPECT_LE(less.at("projected_bytes").as_int64(), training);
  EXPECT_EQ(less.at("test_samples"), 370);
  EXPECT_EQ(less.at("top1"), ample.at("top1"));
  EXPECT_NEAR(less.at("loss").as_double(), ample.at("loss").as_double(), 1e-6);
  const Ended refused = call({"train", job_, "--set", set, "--set", images, "--set", limit, "--set",
                              "memory.allow=[]", "--run-dir", folder_.path("other")});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("lower train.evaluate_batch"));
}

TEST_F(MemoryCommands, NoMoreIsEvaluatedAtATimeThanThereIs) {
  const auto projected = [&](const char* command, const std::string& batch) {
    std::vector<std::string> words{command, job_, "--json", "--set", "train.evaluate_batch=" + batch};
    if (command == std::string("train"))
      words.insert(words.end(), {"--run-dir", folder_.path("run" + batch)});
    return object_of(words).at("projected_bytes").as_int64();
  };
  EXPECT_EQ(projected("plan", "1000000"), projected("plan", "37"));
  EXPECT_EQ(projected("train", "1000000"), projected("train", "37"));
  EXPECT_EQ(projected("plan", "37"), projected("train", "37"));
}

TEST_F(MemoryCommands, AJobForAGpuIsPlannedForTheOneThatIsNamed) {
  const Ended unnamed = call({"plan", job_, "--set", "device=cuda"});
  EXPECT_EQ(unnamed.code, 2) << unnamed.all();
  EXPECT_THAT(unnamed.err, HasSubstr("say which GPU to plan for with --device NAME"));
  EXPECT_EQ(object_of({"plan", job_, "--json", "--set", "device=cuda", "--device", "h100-80gb"}).at("device"),
            "h100-80gb");
  EXPECT_EQ(object_of({"plan", job_, "--json", "--set", "device=cuda", "--device", "cpu"}).at("device"),
            "cpu");
}

}  // namespace
}  // namespace convoy::test
