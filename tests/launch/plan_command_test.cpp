#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/launch/json_of.h"
#include "tests/trainer/job_folder.h"

// What `convoy plan` tells, and that it is what `convoy train` takes.

namespace convoy::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(Plan, FitsTheJobsForCifarAndDigitsOntoAMachineOf8GiB) {
  const JobFolder folder;
  for (const char* job :
       {"cifar10-quick", "cifar10-full", "cifar10-resnet20", "cifar10-resnet56", "cifar10-resnet110",
        "cifar10-nin", "cifar10-all-cnn", "lenet-mnist", "lenet5-mnist"}) {
    const Ended ended =
        run(convoy({"plan", kSource + "/configs/jobs/" + job + ".toml", "--json", "--memory-limit", "8GiB"}),
            folder.path(""));
    EXPECT_EQ(object_of(ended).at("fits"), true) << job;
  }
}

TEST(Plan, PrintsEveryKeyOfTheDesign) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, "[train]\nbatch = 16\n");
  const boost::json::object plan =
      object_of(run(convoy({"plan", job, "--json", "--ranks", "2"}), folder.path("")));
  for (const char* key :
       {"fits", "projected_bytes", "limit_bytes", "arena_bytes", "lower_bound_bytes", "global_batch",
        "micro_batch", "accumulation", "precision", "recompute", "shard_optimizer", "workspace_bytes",
        "ledger", "actions", "smallest_limit_bytes"}) {
    EXPECT_TRUE(plan.contains(key)) << key;
  }
  EXPECT_EQ(plan.at("fits"), true);
  EXPECT_EQ(plan.at("global_batch"), 16);
  EXPECT_EQ(plan.at("micro_batch"), 8);
  std::int64_t sum = 0;
  for (const auto& entry : plan.at("ledger").as_object()) sum += entry.value().as_int64();
  EXPECT_EQ(sum, plan.at("projected_bytes").as_int64());
}

TEST(Plan, IsPrintedOnceUnderMpirun) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, "[train]\nbatch = 16\n");
  const std::vector<std::string> words{"plan", job, "--memory-limit", "1GiB"};
  const Ended once = run(mpi_convoy(3, words), folder.path(""));
  EXPECT_EQ(once.code, 0) << once.err;
  EXPECT_EQ(once.out, run(convoy(words), folder.path("")).out);
  EXPECT_EQ(run(convoy({"plan", job, "--memory-limit", "auto"}), folder.path("")).code, 0);
}

TEST(Plan, IsWhatTrainingTakesToTheByte) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, "samples = 40\n[train]\nbatch = 16\nepochs = 1\n");
  const std::int64_t bytes =
      object_of(run(convoy({"plan", job, "--json"}), folder.path(""))).at("projected_bytes").as_int64();
  const auto limit = [&](std::int64_t value) { return "memory.limit=" + std::to_string(value); };
  EXPECT_EQ(
      object_of(run(convoy({"train", job, "--json", "--run-dir", folder.path("a"), "--set", limit(bytes)}),
                    folder.path("")))
          .at("measured_peak_bytes"),
      bytes);
  for (const char* command : {"train", "plan"}) {
    const Ended ended =
        run(convoy({command, job, "--set", limit(bytes - 1), "--set", "memory.allow=[]"}), folder.path(""));
    EXPECT_EQ(ended.code, 3) << ended.all();
  }
}

TEST(Plan, AnswersForDevicesThatAreNotHere) {
  const JobFolder folder;
  const auto plan = [&](const std::vector<std::string>& words) {
    std::vector<std::string> all{"plan", kSource + "/configs/jobs/alexnet-synthetic.toml", "--json"};
    all.insert(all.end(), words.begin(), words.end());
    return object_of(run(convoy(all), folder.path("")));
  };
  const boost::json::object old = plan({"--device", "gtx580-3gb"});
  EXPECT_EQ(old.at("device"), "gtx580-3gb");
  EXPECT_EQ(old.at("fits"), true);
  EXPECT_LT(old.at("limit_bytes").as_int64(), std::int64_t{3} << 30);
  EXPECT_EQ(old.at("workspace_bytes"), 64 << 20);
  const boost::json::object& ledger = old.at("ledger").as_object();
  EXPECT_LT(ledger.at("gradients").as_int64(), ledger.at("weights").as_int64()) << "one rank keeps none";
  EXPECT_EQ(ledger.at("overhead"), 130 << 20);
  EXPECT_EQ(ledger.at("collective"), 0);
  EXPECT_EQ(old.at("projected_bytes").as_int64(), old.at("arena_bytes").as_int64() + (130 << 20));

  const boost::json::object eight = plan({"--device", "titanx-12gb", "--ranks", "8", "--set",
                                          "train.precision=fp16", "--set", "memory.reserve=1GiB"});
  EXPECT_EQ(eight.at("precision"), "fp16");
  EXPECT_EQ(eight.at("micro_batch"), 8);
  EXPECT_EQ(eight.at("limit_bytes"), 12799574016 - (std::int64_t{1} << 30)) << "a device for each rank";
  EXPECT_EQ(eight.at("ledger").at("collective"), 24 << 20);
  EXPECT_EQ(eight.at("ledger").at("reserve"), 1 << 30);
  EXPECT_GT(eight.at("ledger").at("master_weights").as_int64(), 4 * 60965224);

  const boost::json::object two = plan({"--device", "h100-80gb", "--ranks", "2"});
  EXPECT_EQ(two.at("ledger").at("weights"), two.at("ledger").at("gradients"));
  const std::int64_t ample = two.at("projected_bytes").as_int64();
  const boost::json::object half =
      plan({"--device", "h100-80gb", "--ranks", "2", "--memory-limit", std::to_string(ample - 1), "--set",
            "memory.allow=[\"half_precision\"]"});
  EXPECT_EQ(half.at("precision"), "fp16");
  EXPECT_EQ(half.at("actions").at(0).at("action"), "half_precision");
  EXPECT_EQ(half.at("actions").at(0).at("taken"), true);
}

TEST(Plan, ShardsTheOptimizerOverTheRanks) {
  const JobFolder folder;
  const auto plan = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"plan", kSource + "/configs/jobs/alexnet-synthetic.toml", "--json",
                                 "--device", "h100-80gb", "--ranks", "8"});
    return object_of(run(convoy(words), folder.path("")));
  };
  const boost::json::object whole = plan({});
  EXPECT_EQ(whole.at("shard_optimizer"), false);
  const std::int64_t bytes = whole.at("projected_bytes").as_int64();
  const std::int64_t optimizer = whole.at("ledger").at("optimizer_state").as_int64();
  const boost::json::object asked = plan({"--set", "train.shard_optimizer=true"});
  EXPECT_EQ(asked.at("shard_optimizer"), true);
  EXPECT_NEAR(asked.at("ledger").at("optimizer_state").to_number<double>(),
              static_cast<double>(optimizer) / 8, 10'000);
  const boost::json::object less =
      plan({"--memory-limit", std::to_string(bytes - 1), "--set", "memory.allow=[\"shard_optimizer\"]"});
  EXPECT_EQ(less.at("shard_optimizer"), true);
  EXPECT_EQ(less.at("projected_bytes"), asked.at("projected_bytes"));
}

TEST(Plan, SaysWhatIsWrongWithADevice) {
  const JobFolder folder;
  const std::string job = kSource + "/configs/jobs/alexnet-synthetic.toml";
  const auto refusal = [&](const std::vector<std::string>& words) {
    const Ended ended = run(convoy(words), folder.path(""));
    EXPECT_EQ(ended.code, 2) << ended.all();
    return ended.err;
  };
  EXPECT_THAT(
      refusal({"plan", job, "--device", "gtx580"}),
      HasSubstr(
          "--device \"gtx580\" is not known (did you mean \"gtx580-3gb\"?); known are cpu, gtx580-3gb"));
  EXPECT_THAT(refusal({"plan", job, "--device", "abacus"}),
              HasSubstr("--device \"abacus\" is not known; known are cpu, gtx580-3gb"));
  EXPECT_THAT(refusal({"plan", job, "--device", "h100-81gb"}), HasSubstr("(did you mean \"h100-80gb\"?)"));
  EXPECT_THAT(refusal({"plan", job, "--device", "titanx-12gb", "--memory-limit", "13GiB"}),
              HasSubstr("is more than the device has (11.92 GiB)"));
  EXPECT_THAT(
      refusal({"plan", job, "--device", "gtx580-3gb", "--set", "train.precision=fp16"}),
      HasSubstr(
          "train.precision = \"fp16\": the device \"gtx580-3gb\" has no fast kernels for it; use fp32"));
  for (const char* command : {"plan", "train"}) {
    EXPECT_THAT(
        refusal({command, job, "--set", "train.precision=fp16"}),
        HasSubstr("train.precision = \"fp16\": the device \"cpu\" has no fast kernels for it; use fp32"));
  }
}

TEST(Plan, TrainsInLessMemoryByItself) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, "samples = 40\n[train]\nbatch = 16\nepochs = 2\n");
  const std::string free = folder.path("free");
  const std::string tight = folder.path("tight");
  ASSERT_EQ(run(convoy({"train", job, "--run-dir", free}), folder.path("")).code, 0);
  const boost::json::object plan =
      object_of(run(convoy({"plan", job, "--json", "--memory-limit", "39KiB"}), folder.path("")));
  EXPECT_TRUE(plan.at("fits").as_bool());
  EXPECT_LT(plan.at("micro_batch").as_int64(), 16);
  const Ended ended =
      run(convoy({"train", job, "--run-dir", tight, "--set", "memory.limit=39KiB"}), folder.path(""));
  EXPECT_EQ(ended.code, 0) << ended.all();
  EXPECT_THAT(ended.out, HasSubstr("to fit, "));
  EXPECT_EQ(summary_of(tight).at("measured_peak_bytes"), plan.at("projected_bytes"));
  EXPECT_LT(largest_difference(losses_of(tight), losses_of(free)), 1e-5);
}

// Of every job for ImageNet there is a plan, on a machine without ImageNet.
TEST(ImageNetJobs, ArePlannedWithoutTheData) {
  const JobFolder folder;
  int jobs = 0;
  for (const auto& file : fs::directory_iterator(kSource + "/configs/jobs")) {
    if (!file.path().stem().string().ends_with("-imagenet")) continue;
    ++jobs;
    const Ended ended = run(
        convoy({"plan", file.path().string(), "--json", "--memory-limit", "8GiB", "--set", "train.batch=8"}),
        folder.path(""));
    ASSERT_EQ(ended.code, 0) << file.path() << ended.all();
    EXPECT_EQ(boost::json::parse(ended.out).at("fits"), true) << file.path();
  }
  EXPECT_EQ(jobs, 17);
  const Ended ended =
      run(convoy({"plan", kSource + "/configs/jobs/resnet50-imagenet.toml", "--set", "data.classes=10"}),
          folder.path(""));
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("the network tells 1000 classes apart, but data.classes is 10"));
}

}  // namespace
}  // namespace convoy::test
