#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include "tests/launch/json_of.h"
#include "tests/trainer/job_folder.h"
#include "trainer/data/dataset.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

const std::string kSource = CONVOY_SOURCE;

TEST(Inspect, CountsLeNetAsItsPaperDoes) {
  const JobFolder folder;
  const boost::json::object net =
      object_of(run(convoy({"inspect", kSource + "/configs/nets/lenet.toml", "--json"}), folder.path("")));
  EXPECT_EQ(net.at("parameters"), 431080);
  EXPECT_EQ(net.at("macs"), 24 * 24 * 20 * 25 + 8 * 8 * 50 * 20 * 25 + 800 * 500 + 500 * 10);
  const boost::json::array& layers = net.at("layers").as_array();
  ASSERT_EQ(layers.size(), 8U);
  for (const char* key : {"name", "type", "inputs", "output", "parameters", "macs", "receptive_field"}) {
    EXPECT_TRUE(layers[0].as_object().contains(key)) << key;
  }
  EXPECT_EQ(layers[2].at("output"), boost::json::value({50, 8, 8}));
}

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

TEST(Inspect, PrintsEveryKeyOfTheDesign) {
  const JobFolder folder;
  const boost::json::object net =
      object_of(run(convoy({"inspect", kSource + "/configs/nets/googlenet.toml", "--json", "--batch", "3"}),
                    folder.path("")));
  for (const char* key : {"name", "input", "batch", "parameters", "parameters_training", "macs",
                          "activations", "activation_bytes", "layers"}) {
    EXPECT_TRUE(net.contains(key)) << key;
  }
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  std::int64_t bytes = 3 * 4 * 224 * 224 * 3;
  for (const auto& layer : net.at("layers").as_array()) {
    if (layer.at("auxiliary").as_bool()) continue;
    parameters += layer.at("parameters").as_int64();
    macs += layer.at("macs").as_int64();
    bytes += layer.at("activation_bytes").as_int64();
  }
  EXPECT_EQ(net.at("parameters"), parameters);
  EXPECT_EQ(net.at("macs"), macs);
  EXPECT_EQ(net.at("activation_bytes"), bytes);
  const boost::json::object& field = net.at("layers").at(0).at("receptive_field").as_object();
  EXPECT_EQ(field.at("size"), boost::json::value({7, 7}));
  EXPECT_EQ(field.at("stride"), boost::json::value({2, 2}));
  EXPECT_EQ(field.at("offset"), boost::json::value({-3, -3}));
}

TEST(Inspect, TableIsAtMost120ColumnsWideAndAddsUp) {
  const JobFolder folder;
  for (const char* net : {"googlenet", "resnet152", "mobilenet_v2", "squeezenet1_1"}) {
    const Ended ended = run(convoy({"inspect", kSource + "/configs/nets/" + net + ".toml"}), folder.path(""));
    EXPECT_EQ(ended.code, 0);
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120U) << line;
  }
  const Ended ended = run(convoy({"inspect", kSource + "/configs/nets/googlenet.toml"}), folder.path(""));
  for (const char* text : {"head1/conv/conv*", "6998552", "1582671872", "13378280"})
    EXPECT_THAT(ended.out, HasSubstr(text));
}

/// Nodes defined and edges of a drawing; every line must be one of the few forms that it consists of.
struct Drawing {
  std::set<std::string> nodes;
  std::set<std::string> clusters;
  std::vector<std::pair<std::string, std::string>> edges;
};

Drawing drawing_of(const std::string& text) {
  static const std::regex kNode(R"re(\s*"([^"]+)" \[label = "[^"]*"(, style = "[a-z,]+")?\])re");
  static const std::regex kEdge(R"re(\s*"([^"]+)" -> "([^"]+)")re");
  static const std::regex kCluster(R"re(\s*subgraph "(cluster[^"]+)" \{ label = "[^"]+")re");
  static const std::regex kFrame(R"re(digraph "[^"]+" \{|  (rankdir = TB|(graph|node) \[.*\]))re");
  Drawing drawing;
  int depth = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kNode)) {
      EXPECT_TRUE(drawing.nodes.insert(match[1]).second) << line;
    } else if (std::regex_match(line, match, kEdge)) {
      drawing.edges.emplace_back(match[1], match[2]);
    } else if (std::regex_match(line, match, kCluster)) {
      EXPECT_TRUE(drawing.clusters.insert(match[1]).second) << line;
      ++depth;
    } else if (std::regex_match(line, match, std::regex(" *\\}"))) {
      --depth;
      EXPECT_GE(depth, 0);
    } else {
      EXPECT_TRUE(std::regex_match(line, kFrame)) << line;
      if (line.starts_with("digraph")) ++depth;
    }
  }
  EXPECT_EQ(depth, 0);
  return drawing;
}

TEST(Inspect, DrawsEveryLayerOnceWithItsBlocksAsClusters) {
  const JobFolder folder;
  for (const char* net : {"lenet", "googlenet", "resnet152"}) {
    const std::string file = kSource + "/configs/nets/" + net + ".toml";
    const boost::json::object graph = object_of(run(convoy({"inspect", file, "--json"}), folder.path("")));
    const Drawing drawing = drawing_of(run(convoy({"inspect", file, "--dot"}), folder.path("")).out);
    std::size_t inputs = 0;
    for (const auto& layer : graph.at("layers").as_array()) {
      EXPECT_TRUE(drawing.nodes.contains(std::string(layer.at("name").as_string())));
      inputs += layer.at("inputs").as_array().size();
    }
    EXPECT_EQ(drawing.nodes.size(), graph.at("layers").as_array().size() + 1);
    EXPECT_EQ(drawing.edges.size(), inputs);
    for (const auto& [from, to] : drawing.edges)
      EXPECT_TRUE(drawing.nodes.contains(from) && drawing.nodes.contains(to)) << from << " " << to;
    EXPECT_EQ(drawing.clusters.contains("cluster/4b35"), std::string(net) == "resnet152");
    EXPECT_EQ(drawing.clusters.contains("cluster/3a/1x1"), std::string(net) == "googlenet");
  }
}

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

/// A small trained run on a raw image data set of the tests' own.
class TrainedRun : public ::testing::Test {
 protected:
  TrainedRun() {
    job_ = folder_.write_job(kTinyBatchNorm,
                             "samples = 60\ntest_samples = 21\n[train]\nbatch = 16\nepochs = 2\n");
    summary_ = object_of(run(convoy({"train", job_, "--json", "--run-dir", run_}), folder_.path("")));
  }
  Ended call(const std::vector<std::string>& words) { return run(convoy(words), folder_.path("")); }

  JobFolder folder_;
  std::string run_ = folder_.path("run");
  std::string job_;
  boost::json::object summary_;
};

TEST_F(TrainedRun, TrainPrintsItsSummaryAlone) { EXPECT_EQ(summary_, summary_of(run_)); }

TEST_F(TrainedRun, EvalGivesTheAccuracyOfTheSummary) {
  const boost::json::object result = object_of(call({"eval", run_, "--json"}));
  for (const char* key : {"top1", "top5", "loss"}) EXPECT_EQ(result.at(key), summary_.at(key)) << key;
  EXPECT_EQ(result.at("samples"), 21);
  const Ended text = call({"eval", run_});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out, HasSubstr("on 21 test images"));
  const std::string first = checkpoints_of(run_).front();
  EXPECT_EQ(object_of(call({"eval", run_, "--checkpoint", first, "--json"})).at("iteration"), 4);
}

TEST_F(TrainedRun, PredictTakesRawImagesAndIndices) {
  DataSource source{.kind = "synthetic", .shape = {1, 8, 8}, .classes = 4, .samples = 21};
  const auto set = open_dataset(source, Split::test);
  Image image;
  const std::int32_t label = set->read(5, image);
  const std::string raw = folder_.write("five.raw", {image.pixels.begin(), image.pixels.end()});
  const boost::json::object result =
      object_of(call({"predict", run_, raw, "--index", "5", "--top", "4", "--json"}));
  const boost::json::array& answers = result.at("predictions").as_array();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].at("classes"), answers[1].at("classes"));
  EXPECT_EQ(answers[1].at("label"), label);
  double sum = 0;
  for (const auto& entry : answers[0].at("classes").as_array()) sum += entry.at("probability").as_double();
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST(AuxiliaryHeads, AreLeftOutOfEvalAndPredict) {
  const JobFolder folder;
  const auto call = [&](const std::vector<std::string>& words) {
    return run(convoy(words), folder.path(""));
  };
  const std::string job =
      folder.write_job(kTinyHeads, "samples = 60\ntest_samples = 21\n[train]\nbatch = 16\nepochs = 2\n");
  const boost::json::object summary =
      object_of(call({"train", job, "--json", "--run-dir", folder.path("run")}));
  const boost::json::object result = object_of(call({"eval", folder.path("run"), "--json"}));
  for (const char* key : {"top1", "top5", "loss"}) EXPECT_EQ(result.at(key), summary.at(key)) << key;
  const boost::json::object prediction =
      object_of(call({"predict", folder.path("run"), "--index", "3", "--top", "4", "--json"}));
  double sum = 0;
  for (const auto& entry : prediction.at("predictions").at(0).at("classes").as_array())
    sum += entry.at("probability").as_double();
  EXPECT_NEAR(sum, 1, 1e-5);
  const boost::json::object net = object_of(call({"inspect", folder.path("net.toml"), "--json"}));
  const std::int64_t main = 4 * 9 + 4 + 8 * 36 + 8 + 4 * 256 + 4;
  EXPECT_EQ(net.at("parameters"), main);
  EXPECT_EQ(net.at("parameters_training"), main + 2 * (4 * 144 + 4));
  EXPECT_THAT(call({"inspect", folder.path("net.toml")}).out, HasSubstr("without auxiliary heads"));
}

TEST(Predict, TellsTheScoresOfALossWithoutProbabilities) {
  const JobFolder folder;
  const auto call = [&](const std::vector<std::string>& words) {
    return run(convoy(words), folder.path(""));
  };
  std::string network = kTinyNetwork;
  network.replace(network.find("softmax_loss"), 12, "hinge");
  const std::string job =
      folder.write_job(network, "samples = 20\ntest_samples = 5\n[train]\nbatch = 8\nepochs = 1\n");
  object_of(call({"train", job, "--json", "--run-dir", folder.path("run")}));
  const boost::json::object prediction =
      object_of(call({"predict", folder.path("run"), "--index", "3", "--json"}));
  const boost::json::object& best = prediction.at("predictions").at(0).at("classes").at(0).as_object();
  EXPECT_TRUE(best.contains("score"));
  EXPECT_FALSE(best.contains("probability"));
  EXPECT_EQ(call({"predict", folder.path("run"), "--index", "3"}).code, 0);
}

TEST_F(TrainedRun, PredictAgreesWithEval) {
  std::vector<std::string> words{"predict", run_, "--json", "--top", "1"};
  for (int i = 0; i < 21; ++i) words.insert(words.end(), {"--index", std::to_string(i)});
  const boost::json::object result = object_of(call(words));
  int right = 0;
  for (const auto& answer : result.at("predictions").as_array())
    right += answer.at("class") == answer.at("label") ? 1 : 0;
  EXPECT_NEAR(right / 21.0, summary_.at("top1").as_double(), 1e-9);
}

TEST_F(TrainedRun, PredictRefusesWhatIsNoImageOfTheNetwork) {
  folder_.write("short.raw", std::string(63, 'x'));
  folder_.write("long.raw", std::string(65, 'x'));
  EXPECT_THAT(call({"predict", run_, folder_.path("short.raw")}).err, HasSubstr("is shorter than 64 bytes"));
  EXPECT_THAT(call({"predict", run_, folder_.path("long.raw")}).err, HasSubstr("is longer than 64 bytes"));
  EXPECT_EQ(call({"predict", run_, folder_.path("short.raw")}).code, 4);
  const Ended folder = call({"predict", run_, folder_.path("")});
  EXPECT_EQ(folder.code, 2);
  EXPECT_THAT(folder.err, HasSubstr("is a folder"));
  for (const char* index : {"21", "-1", "x", "1.5"}) {
    const Ended ended = call({"predict", run_, std::string("--index=") + index});
    EXPECT_EQ(ended.code, 2) << index;
    EXPECT_THAT(ended.err, HasSubstr("expected a number from 0 to 20"));
  }
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
