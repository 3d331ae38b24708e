#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/trainer/train_here.h"

namespace convoy::test {
namespace {

/// Twenty updates; the last batch of an epoch has 2 samples, so that of 3 or 4 ranks some have none.
constexpr const char* kSharedStatistics = R"(samples = 146
test_samples = 16
[train]
batch = 16
epochs = 2
shared_statistics = true
[log]
every = 1
)";

class SharedStatistics : public ::testing::Test {
 protected:
  struct Trained {
    std::vector<double> losses;
    std::vector<std::pair<std::string, std::string>> tensors;
  };

  Trained train(int ranks, std::vector<std::string> sets = {}) {
    const std::string run = folder_.path("run-" + std::to_string(runs_++));
    train_here({job_, run, ranks, std::move(sets)});
    return {losses_of(run), newest_tensors(run)};
  }

  JobFolder folder_;
  std::string job_ = folder_.write_job(kTinyBatchNorm, kSharedStatistics);
  int runs_ = 0;
};

TEST_F(SharedStatistics, MakeBatchNormIndependentOfTheNumberOfRanks) {
  const Trained one = train(1);
  ASSERT_EQ(one.losses.size(), 20U);
  EXPECT_GT(largest_difference(train(4, {"train.shared_statistics=false"}).losses, one.losses), 1e-3)
      << "without, each rank has its own";
  for (const int ranks : {2, 3, 4})
    EXPECT_LT(largest_difference(train(ranks).losses, one.losses), 1e-5) << ranks;
}

TEST_F(SharedStatistics, RunningOnesAreThoseOfTheWholeBatchToo) {
  const Trained one = train(1);
  const Trained three = train(3);
  for (std::size_t i = 0; i < one.tensors.size(); ++i) {
    if (one.tensors[i].first.find("running") == std::string::npos) continue;
    const auto values = [](const std::string& bytes) {
      std::vector<double> list;
      for (std::size_t at = 0; at < bytes.size(); at += 4) {
        float value = 0;
        std::memcpy(&value, bytes.data() + at, 4);
        list.push_back(static_cast<double>(value));
      }
      return list;
    };
    EXPECT_LT(largest_difference(values(three.tensors[i].second), values(one.tensors[i].second)), 1e-4)
        << one.tensors[i].first;
  }
}

// The last micro-batch is empty on some ranks: 16 samples over 3 ranks are 6, 5 and 5, in parts of one.
TEST_F(SharedStatistics, WorkWithMicroBatchesThatDivideNothing) {
  for (const char* size : {"1", "2", "4"}) {
    const std::vector<std::string> sets{std::string("train.micro_batch=") + size};
    const std::vector<double> losses = train(3, sets).losses;
    ASSERT_EQ(losses.size(), 20U);
    EXPECT_EQ(train(3, {sets[0], "comm.bucket=\"1KiB\""}).losses, losses);
  }
}

TEST_F(SharedStatistics, SurviveRecompute) {
  const JobFolder folder;
  std::string network = "name = \"deep\"\ninput = { channels = 1, height = 16, width = 16 }\nlayers = [\n";
  for (int i = 0; i < 4; ++i) {
    network +=
        "  { type = \"convolution\", outputs = 16, kernel = 3, padding = 1 },\n"
        "  { type = \"batch_norm\" },\n  { type = \"relu\" },\n";
  }
  network += "  { type = \"fully_connected\", outputs = 4 },\n  { type = \"softmax_loss\" },\n]\n";
  const std::string job = folder.write_job(network, kSharedStatistics);
  train_here({job, folder.path("plain"), 2});
  const std::int64_t bytes = summary_of(folder.path("plain")).at("projected_bytes").as_int64();
  train_here({job,
              folder.path("again"),
              2,
              {"memory.limit=" + std::to_string(bytes - 1), "memory.allow=[\"recompute\"]"}});
  EXPECT_THAT(read_text(folder.path("again") + "/plan.json"),
              ::testing::HasSubstr("\"action\":\"recompute\",\"taken\":true"));
  EXPECT_EQ(losses_of(folder.path("again")), losses_of(folder.path("plain")));
}

}  // namespace
}  // namespace convoy::test
