#include <atomic>
#include <cstdlib>
#include <limits>
#include <thread>

#include "tests/comm/collective_checks.h"

namespace convoy {
namespace {

using namespace checks;

class Threads : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, Threads, testing::Range(1, 6));

TEST_P(Threads, EveryCollectiveGivesTheExpectedValues) {
  run_ranks(GetParam(), [](Communicator& comm) {
    for (const std::int64_t count : {0, 1, 7, 1000, 100003}) {
      everything<float>(comm, count);
      everything<std::int64_t>(comm, count);
    }
    for (const std::int64_t count : {1, 33}) {
      everything<double>(comm, count);
      everything<std::uint8_t>(comm, count);
    }
  });
}

TEST_P(Threads, SumsInTheOrderOfTheRanks) {
  run_ranks(GetParam(), [](Communicator& comm) { sums_in_rank_order(comm, 10007); });
}

TEST_P(Threads, OperationsOverlap) {
  run_ranks(GetParam(), [](Communicator& comm) { overlaps(comm, 5001); });
}

TEST_P(Threads, TextsOfDifferentSizesAreGathered) { run_ranks(GetParam(), texts); }

TEST_P(Threads, KnowsItsRanks) {
  std::atomic<int> sum = 0;
  run_ranks(GetParam(), [&](Communicator& comm) {
    EXPECT_EQ(comm.size(), GetParam());
    EXPECT_EQ(comm.local_rank(), comm.rank());
    EXPECT_EQ(comm.local_size(), comm.size());
    EXPECT_EQ(comm.kind(), "threads");
    sum += comm.rank();
  });
  EXPECT_EQ(sum, GetParam() * (GetParam() - 1) / 2);
}

TEST(Barrier, HoldsEveryRankUntilTheLastHasCome) {
  std::atomic<int> come = 0;
  run_ranks(3, [&](Communicator& comm) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20 * comm.rank()));
    ++come;
    comm.barrier("all here");
    EXPECT_EQ(come, 3);
  });
}

TEST(Start, LetsTheProgramGoOnBeforeTheOthersCome) {
  std::atomic<bool> first_went_on = false;
  run_ranks(2, [&](Communicator& comm) {
    std::vector<float> data = values<float>(comm.rank(), 1000);
    if (comm.rank() == 1) {
      while (!first_went_on) std::this_thread::yield();
    }
    Pending pending = comm.start_all_reduce(data.data(), 1000, Element::f32, Reduction::sum, "early");
    if (comm.rank() == 0) {
      EXPECT_FALSE(pending.done());
      first_went_on = true;
    }
    pending.wait();
    EXPECT_TRUE(pending.done());
    EXPECT_EQ(data, all_reduced<float>(2, 1000, Reduction::sum));
  });
}

TEST(Single, LeavesTheDataAsItIs) {
  const std::unique_ptr<Communicator> comm = make_single();
  EXPECT_EQ(comm->size(), 1);
  EXPECT_EQ(comm->kind(), "single");
  everything<float>(*comm, 1001);
  overlaps(*comm, 10);
  texts(*comm);
}

TEST(Operations, RefuseWrongArguments) {
  const std::unique_ptr<Communicator> comm = make_single();
  float x = 0;
  EXPECT_THROW(comm->start_all_reduce(&x, -1, Element::f32, Reduction::sum, "negative"), Error);
  EXPECT_THROW(comm->start_broadcast(&x, 1, Element::f32, 1, "no such root"), Error);
  EXPECT_THROW(comm->start_all_gather(nullptr, 1, Element::f32, "no data"), Error);
  EXPECT_THROW(run_ranks(0, [](Communicator&) {}), Error);
}

TEST(Launched, OnlyTheEnvironmentTells) {
  const auto with = [](const char* name, const char* value) {
    setenv(name, value, 1);
    const bool launched = launched_by_mpi();
    unsetenv(name);
    return launched;
  };
  EXPECT_FALSE(launched_by_mpi());
  EXPECT_TRUE(with("OMPI_COMM_WORLD_SIZE", "2"));
  EXPECT_FALSE(with("OMPI_COMM_WORLD_SIZE", "1"));
  EXPECT_TRUE(with("PMI_SIZE", "4"));
  EXPECT_FALSE(with("SLURM_NTASKS", "4")) << "a batch script without srun";
  setenv("PMIX_RANK", "0", 1);
  EXPECT_TRUE(with("SLURM_NTASKS", "4"));
  unsetenv("PMIX_RANK");
}

}  // namespace
}  // namespace convoy
