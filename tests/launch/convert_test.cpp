#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/launch/json_of.h"
#include "tests/trainer/job_folder.h"

namespace convoy::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A trained run on images of 8x8, without padding: kTinyBatchNorm's windows are those of the map.
class Convert : public ::testing::Test {
 protected:
  Convert() {
    job_ = folder_.write_job(kTinyBatchNorm,
                             "samples = 60\ntest_samples = 21\n[train]\nbatch = 16\nepochs = 2\n");
    summary_ = object_of(call({"train", job_, "--json", "--run-dir", run_}));
  }
  Ended call(const std::vector<std::string>& words) { return run(convoy(words), folder_.path("")); }
  Ended convert(const std::string& from, const std::string& to, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"convert", "--fully-convolutional", from, "--output", to});
    return call(more);
  }
  void expect_refused(const Ended& ended, int code, const std::string& part) {
    EXPECT_EQ(ended.code, code) << ended.all();
    EXPECT_THAT(ended.err, HasSubstr(part));
    EXPECT_EQ(ended.out, "");
    EXPECT_FALSE(std::filesystem::exists(folder_.path("new")))
        << "nothing is made where nothing is converted";
  }

  JobFolder folder_;
  std::string run_ = folder_.path("run");
  std::string new_ = folder_.path("new");
  std::string job_;
  boost::json::object summary_;
};

TEST_F(Convert, GivesAFolderThatEvalPredictPlanAndInspectTake) {
  const boost::json::object told = object_of(convert(run_, new_, {"--json"}));
  EXPECT_EQ(told.at("output"), boost::json::value({4, 1, 1}));
  EXPECT_EQ(told.at("converted"), boost::json::value(boost::json::array{"ip"}));
  EXPECT_EQ(told.at("edges"), boost::json::array{});
  const boost::json::object evaluation = object_of(call({"eval", new_, "--json"}));
  EXPECT_EQ(evaluation.at("top1"), summary_.at("top1"));
  EXPECT_NEAR(evaluation.at("loss").as_double(), summary_.at("loss").as_double(), 1e-5);
  EXPECT_EQ(evaluation.at("iteration"), 8);
  EXPECT_EQ(object_of(call({"plan", new_ + "/job.toml", "--json"})).at("fits"), true);
  EXPECT_EQ(object_of(call({"inspect", new_ + "/network.toml", "--json"})).at("parameters"),
            object_of(call({"inspect", folder_.path("net.toml"), "--json"})).at("parameters"));
  for (const char* index : {"0", "20"}) {
    const auto best = [&](const std::string& folder) {
      const boost::json::object answer = object_of(call({"predict", folder, "--index", index, "--json"}));
      return answer.at("predictions").at(0).at("classes").at(0).as_object();
    };
    EXPECT_EQ(best(new_).at("name"), best(run_).at("name"));
    EXPECT_NEAR(best(new_).at("probability").as_double(), best(run_).at("probability").as_double(), 1e-5);
  }
}

TEST_F(Convert, SaysOfALargerImageWhatTheRunSaysOfEachWindow) {
  const boost::json::object told = object_of(convert(run_, new_, {"--input", "10x9", "--json"}));
  EXPECT_EQ(told.at("output"), boost::json::value({4, 3, 2}));
  std::string pixels;
  for (unsigned i = 0; i < 90; ++i) pixels += static_cast<char>(i * i * 7 % 256);
  const std::string large = folder_.write("large.raw", pixels);
  const boost::json::object answer =
      object_of(call({"predict", new_, large, "--map", "--top", "4", "--json"}))
          .at("predictions")
          .at(0)
          .as_object();
  const boost::json::object& map = answer.at("map").as_object();
  EXPECT_EQ(map.at("height"), 3);
  EXPECT_EQ(map.at("width"), 2);
  EXPECT_EQ(map.at("stride"), boost::json::value({1, 1}));
  std::vector<double> sums(4);
  for (std::size_t y = 0; y < 3; ++y) {
    for (std::size_t x = 0; x < 2; ++x) {
      std::string window;
      for (std::size_t row = y; row < y + 8; ++row) window += pixels.substr(row * 9 + x, 8);
      const boost::json::object one =
          object_of(call({"predict", run_, folder_.write("window.raw", window), "--top", "4", "--json"}))
              .at("predictions")
              .at(0)
              .as_object();
      EXPECT_FALSE(one.contains("map"));
      EXPECT_EQ(map.at("class").at(y).at(x), one.at("class"));
      for (const auto& entry : one.at("classes").as_array()) {
        const double value =
            map.at("values").at(y).at(x).at(entry.at("class").to_number<std::size_t>()).as_double();
        EXPECT_NEAR(value, entry.at("probability").as_double(), 1e-5);
        sums[entry.at("class").to_number<std::size_t>()] += value;
      }
    }
  }
  for (const auto& entry : answer.at("classes").as_array()) {
    EXPECT_NEAR(entry.at("probability").as_double(), sums[entry.at("class").to_number<std::size_t>()] / 6,
                1e-6);
  }
  const Ended text = call({"predict", new_, large, "--map"});
  EXPECT_EQ(text.code, 0);
  EXPECT_EQ(count_of("\n", text.out), 4) << text.out;
  EXPECT_FALSE(object_of(call({"predict", new_, large, "--json"}))
                   .at("predictions")
                   .at(0)
                   .at("map")
                   .as_object()
                   .contains("values"));
}

TEST_F(Convert, EvaluatesAndTrainsOnMaps) {
  object_of(convert(run_, new_, {"--input", "10", "--json"}));
  const boost::json::object evaluation = object_of(call({"eval", new_, "--json"}));
  EXPECT_EQ(evaluation.at("samples"), 21);
  EXPECT_TRUE(std::isfinite(evaluation.at("loss").as_double()));
  const boost::json::object trained =
      object_of(call({"train", new_ + "/job.toml", "--run-dir", folder_.path("again"), "--json"}));
  EXPECT_LT(trained.at("loss").as_double(), 1.4);  // ln 4 is that of a guess
}

TEST_F(Convert, TakesANetworkFileAndNamedWeights) {
  const std::string net = folder_.path("net.toml");
  EXPECT_EQ(convert(net, new_).code, 0);
  EXPECT_FALSE(std::filesystem::exists(new_ + "/weights.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(new_ + "/job.toml"));
  const std::string with = folder_.path("with");
  EXPECT_EQ(convert(net, with, {"--weights", checkpoints_of(run_).back()}).code, 0);
  const boost::json::object evaluation =
      object_of(call({"eval", run_, "--set", "network=" + with + "/network.toml", "--checkpoint",
                      with + "/weights.safetensors", "--json"}));
  EXPECT_NEAR(evaluation.at("loss").as_double(), summary_.at("loss").as_double(), 1e-5);
}

TEST_F(Convert, RefusesWhatCannotBe) {
  const std::string net = folder_.path("net.toml");
  expect_refused(call({"convert", net, "--output", new_}), 2, "--fully-convolutional");
  expect_refused(call({"convert", "--fully-convolutional", net}), 2, "--output is missing");
  expect_refused(call({"convert", "--fully-convolutional", "--output", new_}), 2, "RUN|NET.toml is missing");
  expect_refused(convert(folder_.path("nowhere.toml"), new_), 2, "nowhere.toml");
  expect_refused(convert(folder_.path(""), new_), 2, "no checkpoint yet");  // a job.toml, but no run
  for (const char* size : {"x", "8x", "x8", "8x8x8", "0", "-8", "8,8", "99999999", " 8"}) {
    expect_refused(convert(net, new_, {"--input=" + std::string(size)}), 2, "expected HEIGHTxWIDTH");
  }
  expect_refused(convert(net, new_, {"--input", "8x7"}), 2, "8x7 (height x width) are smaller");
  expect_refused(convert(run_, run_), 2, "holds a job.toml already");
  expect_refused(convert(net, net), 2, "is a file");
  expect_refused(convert(net, net + "/below"), 2, "--output: cannot make the folder");
  expect_refused(convert(net, new_, {"--weights", net}), 2, "net.toml");
  expect_refused(convert(net, new_, {"--weights", folder_.path("none")}), 2, "none");
  const std::string other = folder_.write("other.toml", kTinyNetwork);
  expect_refused(convert(other, new_, {"--weights", checkpoints_of(run_).back()}), 2,
                 "has no tensor \"conv1.bias\", which the network \"tiny\" needs, of shape 4");
  std::string wider = kTinyBatchNorm;
  wider.replace(wider.find("height = 8"), 10, "height = 9");
  expect_refused(
      convert(folder_.write("wider.toml", wider), new_, {"--weights", checkpoints_of(run_).back()}), 2,
      "tensor \"ip.weight\" is 4x144, but the network \"tiny-bn\" needs 4x168");
  object_of(convert(run_, new_, {"--json"}));
  const Ended again = convert(run_, new_);
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("holds a network.toml already"));
  EXPECT_THAT(convert(new_, folder_.path("twice")).err, HasSubstr("convolutional already"));
}

}  // namespace
}  // namespace convoy::test
