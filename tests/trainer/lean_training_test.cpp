#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/trainer/train_here.h"

// Passes that do with little scratch (trainer/planner/lean_passes.h) are a property of the job: what else the
// planner does leaves the bits of a run what they are.
namespace convoy::test {
namespace {

/// Most of its peak is the scratch of Winograd's algorithm in conv4, most of its time are the layers before.
constexpr const char* kWide = R"(name = "wide"
input = { channels = 16, height = 24, width = 24 }
layers = [
  { name = "conv1", type = "convolution", outputs = 32, kernel = 7, padding = 3 },
  { type = "relu" },
  { name = "conv2", type = "convolution", outputs = 48, kernel = 7, padding = 3 },
  { type = "relu" },
  { type = "max_pool", kernel = 3, stride = 3 },
  { name = "conv3", type = "convolution", outputs = 128, kernel = 3, padding = 1 },
  { type = "relu" },
  { name = "conv4", type = "convolution", outputs = 128, kernel = 3, padding = 1 },
  { type = "relu" },
  { type = "average_pool", global = true },
  { type = "fully_connected", outputs = 4 },
  { type = "softmax_loss" },
]
)";
constexpr const char* kJob =
    "samples = 32\ntest_samples = 4\n[train]\nbatch = 16\nepochs = 2\nevaluate_batch = 4\n[log]\nevery = 1\n";

class LeanTraining : public testing::Test {
 protected:
  struct Run {
    std::vector<double> losses;
    boost::json::object plan;
    std::vector<std::pair<std::string, std::string>> tensors;
    std::int64_t projected = 0;
  };

  Run run(const std::string& name, std::vector<std::string> sets, int ranks = 1) {
    const std::string folder = folder_.path(name);
    train_here({folder_.write_job(kWide, kJob), folder, ranks, std::move(sets)});
    return {losses_of(folder), boost::json::parse(read_text(folder + "/plan.json")).as_object(),
            newest_tensors(folder), summary_of(folder).at("projected_bytes").as_int64()};
  }
  static std::size_t lean_passes(const Run& run) { return run.plan.at("lean_passes").as_array().size(); }

  JobFolder folder_;
};

TEST_F(LeanTraining, KeepsItsBitsUnderALimitAndWhenItGoesOn) {
  const Run free = run("free", {});
  if (lean_passes(free) == 0) GTEST_SKIP() << "this processor has no Winograd kernels";
  const Run usual = run("usual", {"memory.workspace=1GiB"});
  EXPECT_EQ(lean_passes(usual), 0U);
  EXPECT_EQ(usual.projected - free.projected, free.plan.at("lean_saved_bytes").as_int64());
  EXPECT_LT(largest_difference(free.losses, usual.losses), 1e-5);

  const std::string limit = "memory.limit=" + std::to_string(free.projected - 1);
  const Run limited = run("limited", {limit, "memory.allow=[\"recompute\"]"});
  EXPECT_LT(limited.projected, free.projected);
  EXPECT_FALSE(limited.plan.at("recompute").as_array().empty());
  EXPECT_EQ(limited.plan.at("lean_passes"), free.plan.at("lean_passes"));
  EXPECT_EQ(limited.losses, free.losses);
  EXPECT_EQ(limited.tensors, free.tensors);

  run("resumed", {"train.epochs=1"});
  EXPECT_EQ(run("resumed", {limit, "memory.allow=[\"recompute\"]"}).tensors, free.tensors);
}

TEST_F(LeanTraining, IsPlannedAlikeByAllRanks) {
  const Run two = run("two", {}, 2);
  const Run limited = run("sharded", {"train.shard_optimizer=true"}, 2);
  EXPECT_EQ(limited.plan.at("lean_passes"), two.plan.at("lean_passes"));
  EXPECT_EQ(limited.losses, two.losses);
}

TEST_F(LeanTraining, DoesWithTheWorkspaceThatTheJobNames) {
  const Run none = run("none", {"memory.workspace=0"});
  EXPECT_EQ(none.plan.at("workspace_bytes").as_int64(), 0);
  const Run free = run("free", {});
  EXPECT_LE(none.projected, free.projected);
  EXPECT_LT(largest_difference(none.losses, free.losses), 1e-5);
  if (lean_passes(free) == 0) return;
  // One byte less than it takes with all the scratch it likes, and no other way to save.
  const Run usual = run("usual", {"memory.workspace=1GiB"});
  const Run less = run("less", {"memory.workspace=1GiB", "memory.allow=[\"workspace\"]",
                                "memory.limit=" + std::to_string(usual.projected - 1)});
  EXPECT_LT(less.projected, usual.projected);
  const boost::json::array& actions = less.plan.at("actions").as_array();
  const auto workspace = std::find_if(actions.begin(), actions.end(), [](const boost::json::value& action) {
    return action.as_object().at("action") == "workspace" && action.as_object().at("taken").as_bool();
  });
  EXPECT_NE(workspace, actions.end());
}

}  // namespace
}  // namespace convoy::test
