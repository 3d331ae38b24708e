#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launch/json_of.h"
#include "tests/trainer/job_folder.h"
#include "trainer/data/dataset.h"

// What is asked of a trained run.

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

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

}  // namespace
}  // namespace convoy::test
