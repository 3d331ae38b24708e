#include "tests/end_to_end/job_under_test.h"
#include "tests/launch/json_of.h"

namespace convoy::test {
namespace {

using ::testing::HasSubstr;

/// Commands that several ranks may share.
class MpiCommands : public JobUnderTest {
 protected:
  MpiCommands() { use(kTinyBatchNorm, "samples = 60\ntest_samples = 37\n[train]\nbatch = 12\nepochs = 2\n"); }
  Ended call(int ranks, const std::vector<std::string>& words) {
    return run(mpi_convoy(ranks, words), path(""));
  }
};

TEST_F(MpiCommands, TrainPrintsOneJsonObjectAlone) {
  const boost::json::object summary = object_of(call(3, {"train", job_, "--run-dir", path("run"), "--json"}));
  EXPECT_EQ(summary, summary_of(path("run")));
}

TEST_F(MpiCommands, EvalGivesTheAccuracyOfTheSummaryOnAnyNumberOfRanks) {
  ASSERT_EQ(train(2, path("run")).code, 0);
  const boost::json::object summary = summary_of(path("run"));
  for (const int ranks : {1, 2, 3}) {
    const boost::json::object result = object_of(call(ranks, {"eval", path("run"), "--json"}));
    EXPECT_EQ(result.at("top1"), summary.at("top1")) << ranks;
    EXPECT_EQ(result.at("samples"), 37);
    EXPECT_NEAR(result.at("loss").as_double(), summary.at("loss").as_double(), 1e-5) << ranks;
  }
}

TEST_F(MpiCommands, EvalOfNoRunSaysSoOnce) {
  const Ended ended = call(3, {"eval", path("nothing")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(count_of("holds no run", ended.err), 1) << ended.err;
}

TEST_F(MpiCommands, EvalOfARunWithoutCheckpointsSaysSoOnce) {
  ASSERT_EQ(train(0, path("run")).code, 0);
  std::filesystem::remove_all(path("run") + "/checkpoints");
  const Ended ended = call(2, {"eval", path("run")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(count_of("there is no checkpoint yet", ended.err), 1) << ended.err;
}

TEST_F(MpiCommands, ThePlanOfSeveralRanksIsWhatTheyTake) {
  for (const int ranks : {2, 3}) {
    const std::string count = std::to_string(ranks);
    const boost::json::object plan =
        object_of(run(convoy({"plan", job_, "--ranks", count, "--json", "--set", "threads=0"}), path("")));
    ASSERT_EQ(train(ranks, path("run" + count), {"threads=0"}).code, 0);
    const boost::json::object summary = summary_of(path("run" + count));
    EXPECT_EQ(summary.at("projected_bytes"), plan.at("projected_bytes")) << ranks;
    EXPECT_EQ(summary.at("measured_peak_bytes"), plan.at("projected_bytes")) << ranks;
    EXPECT_GT(plan.at("ledger").at("collective").as_int64(), 0);
  }
}

}  // namespace
}  // namespace convoy::test
