#include <csignal>

#include "tests/end_to_end/job_under_test.h"

namespace convoy::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

/// The rank of a process, from its environment.
int rank_of(pid_t pid) {
  const std::string environment = read_text("/proc/" + std::to_string(pid) + "/environ");
  for (const std::string name : {"OMPI_COMM_WORLD_RANK=", "PMI_RANK="}) {
    const std::size_t at = environment.find(name);
    if (at != std::string::npos) return std::atoi(environment.c_str() + at + name.size());
  }
  return -1;
}

/// Three ranks in the middle of an endless training, with a timeout of 3 seconds.
class LostRank : public JobUnderTest {
 protected:
  /// Sends the signal to a process of rank 1 and waits for the end of the job.
  Ended hit(const std::string& name, int signal) {
    use(kTinyNetwork, kEndless);
    std::vector<std::string> words = train_words(3, path("run"));
    words.emplace_back("--json");
    Process process(words, path(""));
    EXPECT_TRUE(wait_until([&] { return !checkpoints_of(path("run")).empty(); }));
    EXPECT_EQ(job_processes(name).size(), 3U);
    for (const pid_t pid : job_processes(name)) {
      if (rank_of(pid) == 1) kill(pid, signal);
    }
    const Ended ended = process.wait(13);
    EXPECT_TRUE(all_gone(3)) << "processes are left";
    return ended;
  }
};

/// --json has one answer, by whichever rank.
void expect_one_answer(const Ended& ended) {
  EXPECT_EQ(count_of("{\"error\":{\"exit_code\":5,\"message\":", ended.out), 1) << ended.out;
  EXPECT_EQ(count_of("\n", ended.out), 1) << ended.out;
}

TEST_F(LostRank, KilledWorkerEndsTheJobWithItsName) {
  const Ended ended = hit("convoy", SIGKILL);
  EXPECT_EQ(ended.code, 5) << ended.all();
  EXPECT_THAT(ended.err,
              ContainsRegex(
                  "lost rank 1 .process [0-9]+ on [^ ]+: signal 9 .Killed. ended it at step [0-9]+, [a-z]+"));
  expect_one_answer(ended);
}

TEST_F(LostRank, CrashedWorkerEndsTheJobWithItsName) {
  const Ended ended = hit("convoy", SIGSEGV);
  EXPECT_EQ(ended.code, 5) << ended.all();
  EXPECT_THAT(ended.err, HasSubstr("lost rank 1"));
  EXPECT_THAT(ended.err, HasSubstr("signal 11"));
  expect_one_answer(ended);
}

TEST_F(LostRank, StoppedWorkerIsNamedWithTheOperationAfterTheTimeout) {
  const Ended ended = hit("convoy", SIGSTOP);
  EXPECT_EQ(ended.code, 5) << ended.all();
  EXPECT_THAT(ended.err, ContainsRegex("missing:\n  rank 1 .host [^ ]+, pid [0-9]+. does not answer"));
  EXPECT_THAT(
      ended.err,
      ContainsRegex(
          "in operation [0-9]+, '(loss|gradient bucket [0-9]+|shares of waiting for data|checkpoint)'"));
  EXPECT_GT(ended.seconds, 3);
  expect_one_answer(ended);
}

TEST_F(LostRank, KilledSupervisorTakesTheJobDown) {
  const Ended ended = hit("convoy-watch", SIGKILL);
  EXPECT_NE(ended.code, 0) << ended.all();
}

TEST_F(LostRank, KilledMpirunLeavesNothingBehind) {
  use(kTinyNetwork, kEndless);
  Process process(train_words(2, path("run")), path(""));
  ASSERT_TRUE(has_begun(path("run")));
  kill(process.pid(), SIGKILL);
  process.wait();
  EXPECT_TRUE(all_gone(13));
}

TEST_F(LostRank, CheckpointsSurviveAndTheRunGoesOn) {
  hit("convoy", SIGKILL);
  ASSERT_FALSE(checkpoints_of(path("run")).empty());
  Process process(train_words(3, path("run")), path(""));
  EXPECT_TRUE(wait_until([&] { return read_text(path("out")).find("resumes after") != std::string::npos; }));
}

}  // namespace
}  // namespace convoy::test
