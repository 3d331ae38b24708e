// The collectives over MPI against expected values; run by a launcher.

#include <cstdio>
#include <thread>

#include "tests/comm/collective_checks.h"

namespace convoy {
namespace {

using namespace checks;

std::unique_ptr<Communicator> comm;

TEST(Mpi, KnowsItsRanks) {
  EXPECT_EQ(comm->kind(), "mpi");
  EXPECT_EQ(launched_by_mpi(), comm->size() > 1);
  EXPECT_EQ(comm->local_size(), comm->size());
  EXPECT_EQ(comm->local_rank(), comm->rank());
}

TEST(Mpi, EveryCollectiveGivesTheExpectedValues) {
  // From the one-phase path for small data, over one block with empty segments, to many blocks.
  for (const std::int64_t count : {0, 1, 2, 3, 1000, 2048, 2049, 32768, 100003, 700001}) {
    everything<float>(*comm, count);
  }
  for (const std::int64_t count : {1, 5, 40003}) {
    everything<double>(*comm, count);
    everything<std::int64_t>(*comm, count);
    everything<std::uint8_t>(*comm, count);
  }
}

TEST(Mpi, SumsInTheOrderOfTheRanks) {
  for (const std::int64_t count : {10, 1000, 300007}) sums_in_rank_order(*comm, count);
}

TEST(Mpi, OperationsOverlap) {
  for (const std::int64_t count : {10, 5001, 200001}) overlaps(*comm, count);
}

TEST(Mpi, TextsOfDifferentSizesAreGathered) { texts(*comm); }

TEST(Mpi, StartLetsTheProgramGoOn) {
  std::vector<float> data = values<float>(comm->rank(), 300001);
  if (comm->rank() == comm->size() - 1) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto start = std::chrono::steady_clock::now();
  Pending pending = comm->start_all_reduce(data.data(), 300001, Element::f32, Reduction::sum, "early");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
  pending.wait();
  EXPECT_EQ(data, all_reduced<float>(comm->size(), 300001, Reduction::sum));
}

TEST(Mpi, AnswersAfterALongPause) {
  comm->barrier("before");
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  all_reduces<float>(*comm, 100003);
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  convoy::comm = convoy::make_mpi(&argc, &argv, {.timeout_seconds = 60});
  int failed = RUN_ALL_TESTS();
  convoy::comm.reset();
  return failed;
}
