// `convoy plan`: the time of a step, of other numbers of ranks, and advice.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "tests/launch/json_of.h"
#include "tests/trainer/job_folder.h"
#include "trainer/planner/plan_report.h"

namespace convoy::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kResNet = std::string(CONVOY_SOURCE) + "/configs/jobs/resnet50-imagenet.toml";

class PlanPrediction : public testing::Test {
 protected:
  /// `convoy plan` with words, for the job of ResNet-50, which needs no images for that.
  Ended plan(std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"plan", kResNet, "--set", "data.samples=1281167", "--set", "data.classes=1000"});
    return run(convoy(words), folder_.path(""));
  }
  static double number(const boost::json::object& object, const char* key) {
    return object.at(key).to_number<double>();
  }
  std::string refusal(const std::vector<std::string>& words) {
    const Ended ended = plan(words);
    EXPECT_EQ(ended.code, 2) << ended.all();
    EXPECT_EQ(ended.out, "");
    return ended.err;
  }

  JobFolder folder_;
};

TEST_F(PlanPrediction, GoesFromOneRankToAllOfThem) {
  const boost::json::object json =
      object_of(plan({"--device", "a100-80gb", "--ranks", "512", "--fabric", "infiniband-hdr", "--set",
                      "train.batch=16384", "--set", "train.precision=fp16", "--json"}));
  const boost::json::object& prediction = json.at("prediction").as_object();
  EXPECT_EQ(prediction.at("hosts"), 64);
  EXPECT_EQ(prediction.at("ranks_per_host"), 8);
  EXPECT_EQ(prediction.at("inside_hosts"), "nvlink3");
  EXPECT_EQ(prediction.at("between_hosts"), "infiniband-hdr");
  EXPECT_NEAR(number(prediction, "images_per_second"), 16384 / number(prediction, "step_seconds"), 1);
  EXPECT_NEAR(number(prediction, "exposed_share"),
              number(prediction, "exposed_seconds") / number(prediction, "step_seconds"), 1e-9);
  EXPECT_GT(number(prediction, "exposed_seconds"), 0);
  EXPECT_LT(number(prediction, "exposed_seconds"), number(prediction, "communication_seconds"));
  for (const char* key : {"speeds", "input_seconds", "forward_seconds", "backward_seconds",
                          "recompute_seconds", "accumulate_seconds", "update_seconds", "efficiency"}) {
    EXPECT_TRUE(prediction.contains(key)) << key;
  }
  const boost::json::array& scaling = json.at("scaling").as_array();
  ASSERT_EQ(scaling.size(), 10U);
  double before = 1;
  for (std::size_t i = 0; i < scaling.size(); ++i) {
    const boost::json::object& row = scaling[i].as_object();
    EXPECT_EQ(row.at("ranks"), 1 << i);
    EXPECT_EQ(row.at("global_batch"), 32 << i);
    EXPECT_EQ(row.at("same_batch").at("global_batch"), 16384);
    EXPECT_LE(number(row, "efficiency"), before + 1e-12);
    before = number(row, "efficiency");
  }
  EXPECT_DOUBLE_EQ(number(scaling[0].as_object(), "efficiency"), 1);
  EXPECT_DOUBLE_EQ(before, number(prediction, "efficiency"));
  EXPECT_EQ(json.at("advice").as_array().size(), 0U);
}

TEST_F(PlanPrediction, EndsWithTheNumberOfRanksThatWasAskedFor) {
  const Ended ended = plan(
      {"--device", "p100-16gb", "--ranks", "12", "--fabric", "ethernet-50g", "--set", "train.batch=384"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(
      ended.out,
      AllOf(HasSubstr("predicted, with speeds of the device table: "), HasSubstr("2 hosts of 8 ranks"),
            HasSubstr("inside by nvlink1, between them by ethernet-50g"), HasSubstr("\n        8 |"),
            HasSubstr("\n       12 |"), Not(HasSubstr("\n       16 |"))));
}

TEST_F(PlanPrediction, BetterFabricsAndMoreAdaptersWaitLess) {
  const auto exposed = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"--device", "v100-16gb",        "--ranks", "64",
                                   "--set",    "train.batch=2048", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return number(object_of(plan(words)).at("prediction").as_object(), "exposed_seconds");
  };
  const double slow = exposed({"--fabric", "ethernet-10g"});
  EXPECT_LT(exposed({"--fabric", "infiniband-ndr"}), slow);
  EXPECT_LT(exposed({"--fabric", "ethernet-10g", "--adapters-per-host", "8"}), slow);
}

TEST_F(PlanPrediction, NamesTheFabricsThatThereAre) {
  EXPECT_THAT(
      refusal({"--device", "h100-80gb", "--ranks", "16", "--fabric", "infiniband-hrd"}),
      HasSubstr("--fabric \"infiniband-hrd\" is not known (did you mean \"infiniband-hdr\"?); known are "));
  EXPECT_THAT(refusal({"--ranks", "2", "--fabric", "string"}),
              AllOf(HasSubstr("--fabric \"string\" is not known; known are "), HasSubstr("ethernet-100g")));
  EXPECT_THAT(
      refusal({"--device", "h100-80gb", "--ranks", "16", "--ranks-per-host", "8"}),
      HasSubstr("--ranks 16 with --ranks-per-host 8 are 2 hosts; name with --fabric what joins them"));
  EXPECT_THAT(refusal({"--ranks-per-host", "0"}), HasSubstr("--ranks-per-host 0 is out of range"));
  EXPECT_THAT(refusal({"--measure", "maybe"}), HasSubstr("--measure maybe: expected auto, no or anew"));
  EXPECT_THAT(refusal({"--ranks", "0"}), HasSubstr("--ranks 0 is out of range"));
  EXPECT_THAT(refusal({"--adapters-per-host", "-1"}), HasSubstr("--adapters-per-host -1 is out of range"));
}

TEST_F(PlanPrediction, MeasuresTheProcessorOnceAndKeepsIt) {
  const std::string job = folder_.write_job(kTinyNetwork, "[train]\nbatch = 16\n");
  const auto speeds = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"plan", job, "--json", "--set", "kernels=\"measured\""};
    words.insert(words.end(), more.begin(), more.end());
    return object_of(run(convoy(words), folder_.path(""))).at("prediction");
  };
  EXPECT_EQ(speeds({"--measure", "no"}).at("speeds"), "of a usual processor");
  EXPECT_EQ(speeds({"--set", "kernels=\"default\""}).at("speeds"), "of a usual processor");
  const boost::json::value first = speeds({});
  EXPECT_EQ(first.at("speeds"), "measured on this machine");
  EXPECT_EQ(speeds({"--measure", "no"}), first) << "read from the cache";
  (void)speeds({"--set", "threads=0"});  // all cores
  EXPECT_EQ(speeds({"--measure", "no", "--ranks", "1000", "--set", "train.batch=1000", "--set", "threads=0"})
                .at("speeds"),
            "measured on this machine")
      << "more ranks than cores share what the cores reach";
  EXPECT_EQ(speeds({}), first);
  EXPECT_NE(speeds({"--measure", "anew"}), first);
}

TEST_F(PlanPrediction, OfSeveralRanksOnTheProcessorTakesSharedMemoryOrAFabric) {
  const std::string job = folder_.write_job(kTinyNetwork, "[train]\nbatch = 16\n");
  const auto plan_text = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"plan", job, "--measure", "no", "--ranks", "4"};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = run(convoy(words), folder_.path(""));
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended.out;
  };
  EXPECT_THAT(plan_text({}), HasSubstr("one host, inside by shared-memory"));
  EXPECT_THAT(plan_text({"--fabric", "ethernet-25g"}),
              HasSubstr("4 hosts of 1 rank, between them by ethernet-25g"));
  EXPECT_THAT(plan_text({"--fabric", "ethernet-25g", "--ranks-per-host", "2"}),
              HasSubstr("2 hosts of 2 ranks, inside by shared-memory, between them by ethernet-25g"));
}

TEST_F(PlanPrediction, AdvisesWhereMemoryIsShort) {
  const auto at = [&](const std::string& limit) {
    return run(convoy({"plan", std::string(CONVOY_SOURCE) + "/configs/jobs/alexnet-synthetic.toml",
                       "--device", "gtx580-3gb", "--memory-limit", limit, "--json"}),
               folder_.path(""));
  };
  const Ended tight = at("1000MiB");
  const boost::json::array advice = object_of(tight).at("advice").as_array();
  ASSERT_FALSE(advice.empty());
  std::set<std::string> kinds;
  for (const auto& one : advice) {
    for (const char* key : {"kind", "layer", "change", "saved_bytes", "projected_bytes", "fits"})
      EXPECT_TRUE(one.as_object().contains(key)) << key;
    EXPECT_GT(one.at("saved_bytes").as_int64(), 0);
    kinds.emplace(one.at("kind").as_string());
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"devices", "leave_out", "stride"}));
  const Ended refused = at("300MiB");
  EXPECT_EQ(refused.code, 3) << refused.all();
  EXPECT_FALSE(boost::json::parse(refused.out).at("advice").as_array().empty());
}

}  // namespace
}  // namespace convoy::test
