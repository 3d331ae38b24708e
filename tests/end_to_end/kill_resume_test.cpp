#include <csignal>

#include "tests/end_to_end/job_under_test.h"

namespace convoy::test {
namespace {

/// 45 updates, a checkpoint after each.
constexpr const char* kShort = R"(samples = 72
test_samples = 12
flip = true
[train]
batch = 8
epochs = 5
[checkpoint]
every_iterations = 1
[log]
every = 1
)";

/// 6000 updates in a second or so, checkpoints only at the ends of epochs.
constexpr const char* kLong = R"(samples = 24000
test_samples = 12
[train]
batch = 8
epochs = 2
[log]
every = 1
)";

class KillAndResume : public JobUnderTest {
 protected:
  /// Newest checkpoint's number of updates.
  static std::int64_t saved(const std::string& run) {
    const std::vector<std::string> all = checkpoints_of(run);
    return all.empty() ? 0 : std::stoll(all.back().substr(all.back().rfind("step-") + 5));
  }

  void expect_as_never_cut(const std::string& cut, const std::string& whole) {
    EXPECT_EQ(newest_tensors(cut), newest_tensors(whole));
    EXPECT_EQ(losses_of(cut), losses_of(whole));
    EXPECT_EQ(numbers_of(metrics_of(cut, "train"), "iteration"),
              numbers_of(metrics_of(whole, "train"), "iteration"));
    EXPECT_EQ(numbers_of(metrics_of(cut, "evaluation"), "iteration"),
              numbers_of(metrics_of(whole, "evaluation"), "iteration"));
    EXPECT_EQ(summary_of(cut).at("top1"), summary_of(whole).at("top1"));
  }

  /// Kills the worker of rank 0 (or of the only one) once each of these updates is saved.
  void kill_after(int ranks, const std::vector<std::int64_t>& updates) {
    ASSERT_EQ(train(ranks, path("whole")).code, 0);
    int kills = 0;
    for (const std::int64_t update : updates) {
      Process process(train_words(ranks, path("cut")), path(""));
      ASSERT_TRUE(wait_until([&] { return saved(path("cut")) >= update || !process.running(); }));
      const std::vector<pid_t> workers = job_processes("convoy");
      for (const pid_t pid : workers) kill(pid, SIGKILL);
      kills += process.wait().code == 0 ? 0 : 1;
      ASSERT_TRUE(all_gone(10));
    }
    EXPECT_GE(kills, 2) << "the rest came too late";
    const Ended last = train(ranks, path("cut"));
    ASSERT_EQ(last.code, 0) << last.all();
    expect_as_never_cut(path("cut"), path("whole"));
  }

  /// Sends a signal to the process that was started, and expects a checkpoint and code 75.
  void stop_by(int signal, int ranks, const char* network) {
    use(network, kLong);
    Process process(train_words(ranks, path("cut")), path(""));
    ASSERT_TRUE(has_begun(path("cut")));
    kill(process.pid(), signal);
    const Ended ended = process.wait();
    EXPECT_EQ(ended.code, 75) << ended.all();
    EXPECT_THAT(ended.out, ::testing::HasSubstr("the same command continues"));
    EXPECT_EQ(summary_of(path("cut")).at("complete"), false);
    EXPECT_EQ(saved(path("cut")), summary_of(path("cut")).at("iterations").as_int64());
    ASSERT_EQ(train(ranks, path("cut")).code, 0);
    ASSERT_EQ(train(ranks, path("whole")).code, 0);
    expect_as_never_cut(path("cut"), path("whole"));
  }
};

TEST_F(KillAndResume, Kill9AtAnyUpdateLosesNothingWithDropout) {
  use(kTinyNetwork, kShort);
  kill_after(0, {1, 5, 9, 18, 30, 44});
}

TEST_F(KillAndResume, Kill9AtAnyUpdateLosesNothingWithBatchNorm) {
  use(kTinyBatchNorm, kShort);
  kill_after(0, {1, 9, 23, 36});
}

TEST_F(KillAndResume, Kill9OfTwoRanksLosesNothing) {
  use(kTinyBatchNorm, kShort);
  kill_after(2, {1, 13, 27});
}

TEST_F(KillAndResume, SigtermSavesAndExits75) { stop_by(SIGTERM, 0, kTinyNetwork); }

TEST_F(KillAndResume, Sigusr1SavesAndExits75) { stop_by(SIGUSR1, 0, kTinyBatchNorm); }

TEST_F(KillAndResume, Sigusr1OfMpirunStopsAllRanks) { stop_by(SIGUSR1, 2, kTinyBatchNorm); }

TEST_F(KillAndResume, SigtermOfMpirunSavesBeforeItKills) {
  use(kTinyNetwork, kLong);
  Process process(train_words(2, path("cut")), path(""));
  ASSERT_TRUE(has_begun(path("cut")));
  kill(process.pid(), SIGTERM);
  EXPECT_NE(process.wait().code, 0);  // Open MPI makes it 1
  ASSERT_TRUE(all_gone(10));
  EXPECT_GT(saved(path("cut")), 0);
  EXPECT_EQ(saved(path("cut")), summary_of(path("cut")).at("iterations").as_int64());
}

TEST_F(KillAndResume, SigtermOfOneRankStopsAllRanks) {
  use(kTinyNetwork, kEndless);
  Process process(train_words(2, path("cut")), path(""));
  ASSERT_TRUE(has_begun(path("cut")));
  kill(job_processes("convoy-watch").back(), SIGTERM);
  EXPECT_EQ(process.wait().code, 75);
  EXPECT_EQ(summary_of(path("cut")).at("iterations").as_int64(), saved(path("cut")));
}

}  // namespace
}  // namespace convoy::test
