#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "comm/communicator.h"

namespace convoy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const CommOptions kShort{.timeout_seconds = 0.3};

void sleep_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

/// Runs the body and gives each rank's error message, "" for none.
std::vector<std::string> messages(int ranks, const std::function<void(Communicator&)>& body) {
  std::vector<std::string> texts(static_cast<std::size_t>(ranks));
  const auto catching = [&](Communicator& comm) {
    try {
      body(comm);
    } catch (const Error& error) {
      texts[static_cast<std::size_t>(comm.rank())] = error.what();
      EXPECT_EQ(error.code(), ExitCode::lost_rank);
      throw;
    }
  };
  EXPECT_THROW(run_ranks(ranks, catching, kShort), Error);
  return texts;
}

TEST(LostRank, EveryRankThatWaitsNamesTheLateOneAndWhatItDoes) {
  const auto texts = messages(4, [](Communicator& comm) {
    comm.barrier("start");
    comm.note(57, comm.rank() == 2 ? "backward conv2" : "wait");
    if (comm.rank() == 2) sleep_ms(900);
    comm.barrier("step");
    if (comm.rank() == 0) comm.barrier("one further");
  });
  for (const std::size_t rank : {0U, 1U, 3U}) {
    EXPECT_THAT(texts[rank],
                AllOf(HasSubstr("operation 2, 'step' (barrier), at step 57"),
                      HasSubstr("\n  rank 2 (thread) answers but has not joined; it is at step 57, "
                                "backward conv2, for 0.")));
    EXPECT_THAT(texts[rank],
                Not(AnyOf(HasSubstr("\n  rank 0 ("), HasSubstr("\n  rank 1 ("), HasSubstr("\n  rank 3 ("))));
  }
  EXPECT_THAT(texts[2], HasSubstr("the job of rank 2 is over"));
}

TEST(LostRank, ARankThatReturnsEarlyIsNamedAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  try {
    run_ranks(3, [](Communicator& comm) {
      if (comm.rank() != 1) comm.barrier("all");
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::lost_rank);
    EXPECT_THAT(error.what(), HasSubstr("rank 1 (thread) has returned"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << "the timeout is 300 s";
}

TEST(LostRank, ARanksOwnErrorComesBeforeThoseItCausesInOthers) {
  std::atomic<int> lost = 0;
  const auto body = [&](Communicator& comm) {
    comm.barrier("start");
    if (comm.rank() == 1) {
      sleep_ms(50);
      fail(ExitCode::data, "no such image");
    }
    try {
      comm.barrier("next");
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("rank 1 (thread) ended with an error: no such image"));
      ++lost;
      throw;
    }
  };
  try {
    run_ranks(3, body);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    EXPECT_STREQ(error.what(), "no such image");
  }
  EXPECT_EQ(lost, 2);
}

TEST(LostRank, ARanksOwnErrorCountsMoreEvenWhenItComesLater) {
  try {
    run_ranks(
        2,
        [](Communicator& comm) {
          if (comm.rank() == 0) return comm.barrier("all");
          sleep_ms(600);
          fail(ExitCode::data, "no such image");
        },
        kShort);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
  }
}

TEST(LostRank, AnErrorInTheMiddleOfAnOperationReachesTheOthers) {
  try {
    run_ranks(3, [](Communicator& comm) {
      if (comm.rank() == 2) {
        sleep_ms(50);
        return comm.barrier("all");
      }
      static float data = 0;
      float mine = 0;
      Pending pending =
          comm.start_all_reduce(comm.rank() == 0 ? &data : &mine, 1, Element::f32, Reduction::sum, "x");
      if (comm.rank() == 0) fail(ExitCode::data, "no such image");
      try {
        pending.wait();
        FAIL();
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("rank 0 ended with an error: no such image in the middle"));
        throw;
      }
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
  }
}

TEST(Disagreement, IsFoundAndNamesBothOperations) {
  try {
    run_ranks(2, [](Communicator& comm) {
      double value = 1;
      if (comm.rank() == 0) comm.all_reduce(value, Reduction::sum, "loss");
      if (comm.rank() == 1) comm.all_reduce(value, Reduction::max, "overflow");
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'loss' (all-reduce of 1 fp64)"), HasSubstr("'overflow'")));
  }
}

TEST(Abort, WakesEveryRankWithItsCode) {
  std::atomic<int> woken = 0;
  try {
    run_ranks(4, [&](Communicator& comm) {
      if (comm.rank() == 3) {
        sleep_ms(50);
        return comm.abort(ExitCode::diverged, "the loss is not finite");
      }
      try {
        comm.barrier("never");
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::diverged);
        EXPECT_THAT(error.what(), HasSubstr("rank 3 ended the job: the loss is not finite"));
        ++woken;
        throw;
      }
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::diverged);
  }
  EXPECT_EQ(woken, 3);
}

TEST(Timeout, CountsFromWhenTheOperationBeforeWasDone) {
  // Both operations start at once; together they take longer than the timeout, each alone does not.
  EXPECT_NO_THROW(run_ranks(2,
                            [](Communicator& comm) {
                              float a = 0;
                              float b = 0;
                              if (comm.rank() == 1) sleep_ms(300);
                              Pending first =
                                  comm.start_all_reduce(&a, 1, Element::f32, Reduction::sum, "first");
                              if (comm.rank() == 1) sleep_ms(300);
                              Pending second =
                                  comm.start_all_reduce(&b, 1, Element::f32, Reduction::sum, "second");
                              first.wait();
                              second.wait();
                            },
                            {.timeout_seconds = 0.5}));
}

}  // namespace
}  // namespace convoy
