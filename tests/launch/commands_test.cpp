#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/launch/json_of.h"
#include "tests/trainer/job_folder.h"

// Time, devices, and what all commands have in common.

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

TEST(Time, TellsEachLayerInEachDirection) {
  const JobFolder folder;
  const boost::json::object time =
      object_of(run(convoy({"time", kSource + "/configs/nets/lenet.toml", "--batch", "4", "--steps", "2",
                            "--threads", "1", "--json"}),
                    folder.path("")));
  EXPECT_EQ(time.at("batch"), 4);
  EXPECT_GT(time.at("images_per_second").as_double(), 0);
  const boost::json::array& layers = time.at("layers").as_array();
  ASSERT_EQ(layers.size(), 8U);
  double sum = time.at("update_milliseconds").as_double();
  for (const auto& layer : layers) {
    sum += layer.at("forward").at("milliseconds").as_double() +
           layer.at("backward").at("milliseconds").as_double();
  }
  for (const char* direction : {"forward", "backward"}) {
    EXPECT_GT(layers[2].at(direction).at("gflops").as_double(), 0) << direction;
    EXPECT_GT(layers[1].at(direction).at("gigabytes_per_second").as_double(), 0) << direction;
  }
  EXPECT_GT(sum, 0.3 * time.at("step_milliseconds").as_double());
}

TEST(Time, SaysWhatItCannotMeasure) {
  const JobFolder folder;
  const std::string lenet = kSource + "/configs/nets/lenet.toml";
  const auto refusal = [&](const std::vector<std::string>& words) {
    const Ended ended = run(convoy(words), folder.path(""));
    EXPECT_EQ(ended.code, 2);
    return ended.err;
  };
  EXPECT_THAT(refusal({"time", lenet, "--precision", "fp8"}), HasSubstr("expected fp32 or bf16"));
  EXPECT_THAT(refusal({"time", lenet, "--steps", "0"}), HasSubstr("--steps 0 is out of range"));
  EXPECT_THAT(refusal({"time", kSource + "/configs/nets/three_by_64.toml"}), HasSubstr("has no loss"));
  EXPECT_THAT(refusal({"plan", kSource + "/configs/jobs/alexnet-synthetic.toml", "--set",
                       "network=" + kSource + "/configs/nets/three_by_64.toml"}),
              HasSubstr("has no loss"));
}

TEST(Devices, KnownOnesAreListed) {
  const JobFolder folder;
  const boost::json::object known = object_of(run(convoy({"devices", "--known", "--json"}), folder.path("")));
  const boost::json::array& devices = known.at("devices").as_array();
  ASSERT_GE(devices.size(), 17U);
  EXPECT_EQ(devices[0].at("name"), "cpu");
  EXPECT_EQ(devices[1].at("name"), "gtx580-3gb");
  EXPECT_GE(known.at("fabrics").as_array().size(), 10U);
  const Ended table = run(convoy({"devices", "--known"}), folder.path(""));
  EXPECT_EQ(table.code, 0);
  for (const auto& device : devices)
    EXPECT_THAT(table.out, HasSubstr("\n" + std::string(device.at("name").as_string()) + " "));
}

TEST(Commands, TellWhenTheirOutputCannotBeWritten) {
  const JobFolder folder;
  const std::string command = convoy({"inspect", kSource + "/configs/nets/lenet.toml"})[0] + " inspect " +
                              kSource + "/configs/nets/lenet.toml --json > /dev/full";
  const Ended ended = run({"/bin/sh", "-c", command}, folder.path(""));
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("standard output"));
}

TEST(Train, RefusesARunFolderThatAnotherProcessTrainsIn) {
  const JobFolder folder;
  const std::string job =
      folder.write_job(kTinyNetwork, "samples = 4000\n[train]\nbatch = 4\nepochs = 1000\n");
  Process first(convoy({"train", job, "--run-dir", folder.path("run")}), folder.path(""));
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(folder.path("run") + "/plan.json"); }));
  const Ended second = run(convoy({"train", job, "--run-dir", folder.path("run")}), folder.path(""));
  EXPECT_EQ(second.code, 2) << second.all();
  EXPECT_THAT(second.err, HasSubstr("is in use by process"));
  kill(first.pid(), SIGINT);  // as Ctrl-C
  EXPECT_EQ(first.wait().code, 75);
  EXPECT_EQ(summary_of(folder.path("run")).at("complete"), false);
}

TEST(Devices, ListsTheProcessor) {
  const JobFolder folder;
  const boost::json::object devices = object_of(run(convoy({"devices", "--json"}), folder.path("")));
  const boost::json::value& cpu = devices.at("devices").as_array().at(0);
  EXPECT_EQ(cpu.at("kind"), "cpu");
  EXPECT_GT(cpu.at("memory_bytes").as_int64(), 1 << 20);
}

}  // namespace
}  // namespace convoy::test
