// A smaller global batch, where the job allows it and nothing else makes it fit.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/train_here.h"
#include "trainer/data/loader.h"
#include "trainer/planner/inference_plan.h"

namespace convoy::test {
namespace {

constexpr const char* kBatchMayShrink = R"(samples = 100
test_samples = 10
[train]
batch = 24
epochs = 2
[optimizer]
learning_rate = 0.024
[memory]
allow = ["global_batch"]
[log]
every = 1
)";

class ShrunkBatch : public ::testing::Test {
 protected:
  /// A limit that only a part of the batch fits.
  std::string short_limit(int ranks = 1, int tenths = 7) {
    const std::string run = folder_.path("free" + std::to_string(ranks));
    train_here({job_, run, ranks, {"train.iterations=1"}});
    return "memory.limit=" + std::to_string(summary_of(run).at("projected_bytes").as_int64() * tenths / 10);
  }

  JobFolder folder_;
  std::string job_ = folder_.write_job(kWide, kBatchMayShrink);

  /// Its activations are most of what it takes.
  static constexpr const char* kWide = R"(name = "wide"
input = { channels = 1, height = 16, width = 16 }
layers = [
  { name = "conv1", type = "convolution", outputs = 16, kernel = 3, padding = 1 },
  { name = "relu1", type = "relu" },
  { name = "conv2", type = "convolution", outputs = 16, kernel = 3, padding = 1 },
  { name = "relu2", type = "relu" },
  { name = "ip", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss" },
]
)";
};

TEST_F(ShrunkBatch, TrainsAsAJobOfThatBatchAndLearningRate) {
  const std::string limit = short_limit();
  train_here({job_, folder_.path("short"), 1, {limit}});
  const boost::json::object summary = summary_of(folder_.path("short"));
  const std::int64_t batch = summary.at("global_batch").as_int64();
  EXPECT_EQ(summary.at("asked_global_batch"), 24);
  ASSERT_GT(batch, 1);
  ASSERT_LT(batch, 24);
  const double factor = static_cast<double>(batch) / 24;
  EXPECT_DOUBLE_EQ(summary.at("learning_rate_factor").as_double(), factor);
  EXPECT_EQ(summary.at("of_iterations").as_int64(), 2 * ((100 + batch - 1) / batch)) << "whole epochs";
  EXPECT_THAT(read_text(folder_.path("short") + "/plan.json"),
              ::testing::HasSubstr("\"action\":\"global_batch\",\"taken\":true"));

  train_here({job_,
              folder_.path("asked"),
              1,
              {"train.batch=" + std::to_string(batch),
               fmt::format("optimizer.learning_rate={}", 0.024 * factor), "memory.allow=[]"}});
  EXPECT_EQ(losses_of(folder_.path("short")), losses_of(folder_.path("asked")));
  EXPECT_EQ(newest_tensors(folder_.path("short")), newest_tensors(folder_.path("asked")));

  // The largest that fits: one sample more does not. The plan counts the loader of the batch that was asked
  // for, so a job of the smaller batch gets the difference less.
  const std::int64_t of_sample = Loader::ring_bytes(4 + kEvaluationAhead, 1, {1, 16, 16}, {});
  const auto loader = [&](const char* run) {
    return summary_of(folder_.path(run)).at("loader_bytes").as_int64();
  };
  const std::int64_t left =
      std::stoll(limit.substr(limit.find('=') + 1)) - (loader("short") - loader("asked") - of_sample);
  try {
    train_here({job_,
                folder_.path("more"),
                1,
                {"memory.limit=" + std::to_string(left), "train.batch=" + std::to_string(batch + 1),
                 "memory.allow=[]"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
  }
}

TEST_F(ShrunkBatch, IsNotTakenUnlessAllowed) {
  const std::string limit = short_limit();
  try {
    train_here({job_, folder_.path("refused"), 1, {limit, "memory.allow=[]"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
  }
  train_here({job_, folder_.path("micro"), 1, {limit, "memory.allow=[\"global_batch\", \"micro_batch\"]"}});
  EXPECT_EQ(summary_of(folder_.path("micro")).at("global_batch"), 24) << "the last resort";
}

TEST_F(ShrunkBatch, IsTheSameNumberOfSamplesOnEveryRank) {
  const std::string limit = short_limit(3, 9);
  train_here({job_, folder_.path("three"), 3, {limit}});
  const std::int64_t batch = summary_of(folder_.path("three")).at("global_batch").as_int64();
  EXPECT_LT(batch, 24);
  EXPECT_GE(batch, 3);
  EXPECT_EQ(batch % 3, 0);
}

TEST_F(ShrunkBatch, IsKeptByAResumeThatHasMoreMemory) {
  const std::string limit = short_limit();
  train_here({job_, folder_.path("whole"), 1, {limit}});
  const std::int64_t batch = summary_of(folder_.path("whole")).at("global_batch").as_int64();
  train_here({job_, folder_.path("cut"), 1, {limit, "train.iterations=5"}});
  train_here({job_, folder_.path("cut"), 1});
  EXPECT_EQ(summary_of(folder_.path("cut")).at("global_batch").as_int64(), batch);
  EXPECT_EQ(losses_of(folder_.path("cut")), losses_of(folder_.path("whole")));
  EXPECT_EQ(newest_tensors(folder_.path("cut")), newest_tensors(folder_.path("whole")));
}

TEST_F(ShrunkBatch, IsRefusedWhereTheCheckpointIsOfAnother) {
  const std::string limit = short_limit();
  train_here({job_, folder_.path("run"), 1, {limit, "train.iterations=5"}});
  for (const std::vector<std::string>& sets :
       {std::vector<std::string>{"memory.allow=[]"}, {"train.batch=25"}, {limit, "train.batch=12"}}) {
    try {
      train_here({job_, folder_.path("run"), 1, sets});
      FAIL() << sets[0];
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("batch"));
    }
  }
}

TEST_F(ShrunkBatch, DoesNotHelpWhereOneSampleARankDoesNotFit) {
  try {
    train_here({job_, folder_.path("run"), 2, {"memory.limit=100000"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("does not fit"));
  }
}

}  // namespace
}  // namespace convoy::test
