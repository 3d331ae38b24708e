#include "comm/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace convoy {
namespace {

using testing::HasSubstr;
using testing::Not;

Peer peer(int rank, std::int64_t sequence, bool busy, const char* activity) {
  RankStatus status;
  status.sequence = sequence;
  status.busy = busy;
  status.operation = "'gradient bucket 3' (all-reduce of 10 fp32)";
  status.activity = {57, activity, 30.2};
  return {rank, "host n" + std::to_string(rank) + ", pid 10" + std::to_string(rank), status};
}

TEST(Diagnosis, NamesTheRankThatHasNotJoined) {
  const std::vector<Peer> peers{peer(0, 9, true, "wait"), peer(1, 8, false, "backward conv2")};
  const auto error = diagnose(peers[0], 300, peers, true);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::lost_rank);
  EXPECT_STREQ(
      error->what(),
      "rank 0 (host n0, pid 100) waited 300 s in operation 9, 'gradient bucket 3' (all-reduce of 10 fp32), "
      "at step 57, wait; missing:\n"
      "  rank 1 (host n1, pid 101) answers but has not joined; it is at step 57, backward conv2, for 30 s");
}

TEST(Diagnosis, NamesTheRankThatDoesNotAnswer) {
  std::vector<Peer> peers{peer(0, 9, true, "wait"), peer(1, 9, true, "wait"), peer(2, 0, false, "")};
  peers[2].status.reset();
  const auto error = diagnose(peers[0], 300, peers, true);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("rank 2 (host n2, pid 102) does not answer (stopped, dead, or"));
  EXPECT_THAT(error->what(), Not(HasSubstr("rank 1 (")));
}

TEST(Diagnosis, DoesNotNameARankThatWaitsInAnEarlierOperation) {
  // Rank 0 is in 10, rank 1 still in 9, because rank 2 has not come to 9.
  const std::vector<Peer> peers{peer(0, 10, true, "wait"), peer(1, 9, true, "wait"),
                                peer(2, 8, false, "data")};
  for (const std::size_t self : {0U, 1U}) {
    const auto error = diagnose(peers[self], 300, peers, true);
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), HasSubstr("\n  rank 2 ("));
    EXPECT_THAT(error->what(), Not(HasSubstr(self == 0 ? "\n  rank 1 (" : "\n  rank 0 (")));
  }
}

TEST(Diagnosis, SaysNothingBeforeTheTimeoutWhileThereIsHope) {
  std::vector<Peer> peers{peer(0, 9, true, "wait"), peer(1, 8, false, "backward conv2"),
                          peer(2, 8, false, "")};
  peers[2].status.reset();
  EXPECT_FALSE(diagnose(peers[0], 10, peers, false));
}

TEST(Diagnosis, SaysAtOnceThatARankHasEnded) {
  std::vector<Peer> peers{peer(0, 9, true, "wait"), peer(1, 9, true, "end")};
  peers[1].status->ended = "has ended its work";
  EXPECT_THAT(diagnose(peers[0], 10, peers, false)->what(),
              HasSubstr("rank 1 (host n1, pid 101) has ended its work"));
  peers[1].status->sequence = 10;
  EXPECT_FALSE(diagnose(peers[0], 10, peers, false)) << "it took part in 9";
}

TEST(Diagnosis, SaysAtOnceThatRanksDisagree) {
  std::vector<Peer> peers{peer(0, 9, true, "wait"), peer(1, 9, true, "wait")};
  peers[1].status->signature = 1;
  peers[1].status->operation = "'loss' (all-reduce of 1 fp64)";
  const auto error = diagnose(peers[0], 10, peers, false);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::internal);
  EXPECT_THAT(error->what(),
              HasSubstr("rank 1 (host n1, pid 101) is in 'loss' (all-reduce of 1 fp64) instead"));
}

TEST(Diagnosis, SaysSoWhenNobodyIsMissing) {
  const std::vector<Peer> peers{peer(0, 9, true, "wait"), peer(1, 9, true, "wait")};
  EXPECT_THAT(diagnose(peers[0], 300, peers, true)->what(), HasSubstr("every rank answers and has joined"));
}

}  // namespace
}  // namespace convoy
