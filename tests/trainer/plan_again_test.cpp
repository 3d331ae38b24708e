#include "trainer/plan_again.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "launch/job/read_job.h"
#include "launch/job/write_job.h"
#include "layers/device/cpu/cpu_device.h"
#include "tests/trainer/train_here.h"

// A device that does not give what was planned: another process took its memory.
namespace convoy::test {
namespace {

using ::testing::HasSubstr;

/// A processor that gives no block of more than `most` bytes, and calls `free` bytes free.
class Short : public CpuDevice {
 public:
  Short(std::int64_t most, std::int64_t free) : most_(most), free_(free) {}
  DeviceInfo info() const override {
    DeviceInfo info = CpuDevice::info();
    info.process_bytes = free_;
    return info;
  }
  void* allocate(std::int64_t bytes) override {
    if (bytes > most_) fail(ExitCode::does_not_fit, "cannot allocate {} bytes here", bytes);
    return CpuDevice::allocate(bytes);
  }

 private:
  std::int64_t most_, free_;
};

constexpr const char* kJob =
    "samples = 64\ntest_samples = 20\n[train]\nbatch = 64\nepochs = 2\n[log]\nevery = 1\n[memory]\nlimit = "
    "\"1GiB\"\nallow = [\"micro_batch\"]\n";

class PlanAgain : public testing::Test {
 protected:
  PlanAgain() : job_(folder_.write_job(kTinyNetwork, kJob)) {}

  /// Trains on `ranks` ranks, of which the last has a device that gives `most` bytes and calls `free` free.
  boost::json::object train_with(int ranks, std::int64_t most, std::int64_t free) {
    std::mutex mutex;
    run_ranks(ranks, [&](Communicator& comm) {
      JobInputs inputs = open_inputs(read_job(job_, {}), Purposes::train);
      TrainOptions options;
      options.run_folder = folder_.path("run");
      options.job_text = job_to_toml(inputs.job);
      Worker worker;
      worker.sharers = ranks;
      worker.device = std::make_unique<CpuDevice>();
      if (comm.rank() == ranks - 1) worker.device = std::make_unique<Short>(most, free);
      const std::int64_t samples = inputs.train->size();
      Session session(std::move(inputs), comm, true, samples, {}, 0, std::move(worker));
      const TrainOutcome own = train(session, options);
      const std::lock_guard lock(mutex);
      arenas_.push_back(session.plan().arena_bytes());
      peaks_.push_back(session.device().peak_bytes());
      micro_batches_.push_back(session.plan().micro_batch);
    });
    return summary_of(folder_.path("run"));
  }
  boost::json::object plan() const {
    return boost::json::parse(read_text(folder_.path("run") + "/plan.json")).as_object();
  }
  /// Of the arena that training takes without need to change anything.
  std::int64_t ample(int ranks) {
    train_here({job_, folder_.path("ample"), ranks});
    const boost::json::value plan = boost::json::parse(read_text(folder_.path("ample") + "/plan.json"));
    loader_ = plan.at("loader_bytes").as_int64();
    return plan.at("arena_bytes").as_int64();
  }

  JobFolder folder_;
  std::string job_;
  std::int64_t loader_ = 0;  ///< what the data loader takes beside it
  std::vector<std::int64_t> arenas_, peaks_, micro_batches_;
};

TEST_F(PlanAgain, AllRanksTrainWithOnePlanWhenOneHasLess) {
  const std::int64_t bytes = ample(4);
  const std::int64_t less = bytes * 3 / 4;
  const boost::json::object summary = train_with(4, less, less + loader_);
  EXPECT_EQ(summary.at("complete"), true);
  EXPECT_EQ(summary.at("planned_again"), 1);
  EXPECT_EQ(summary.at("measured_peak_bytes"), summary.at("projected_bytes"));
  EXPECT_EQ(summary.at("device_allocations_after_first_step"), 0);
  for (std::size_t rank = 0; rank < 4; ++rank) {
    EXPECT_EQ(arenas_[rank], arenas_[0]);
    EXPECT_EQ(peaks_[rank], arenas_[0]) << "the arena that was given back counts no more";
    EXPECT_LE(arenas_[rank], less);
    EXPECT_LT(micro_batches_[rank], 16);
  }
  const boost::json::object refusal = plan().at("refusals").as_array().at(0).as_object();
  EXPECT_EQ(refusal.at("rank"), 3);
  EXPECT_EQ(refusal.at("arena_bytes"), bytes);
  EXPECT_EQ(refusal.at("limit_bytes"), less + loader_);
  EXPECT_THAT(std::string(refusal.at("reason").as_string()), HasSubstr("cannot allocate"));
  EXPECT_THAT(read_text(folder_.path("run") + "/plan.html"), HasSubstr("rank 3 could not have its arena"));
  EXPECT_LT(largest_difference(losses_of(folder_.path("run")), losses_of(folder_.path("ample"))), 1e-5);
}

TEST_F(PlanAgain, WorksAloneAndLeavesTheReserve) {
  const std::int64_t less = ample(1) * 3 / 4;
  job_ = folder_.write_job(kTinyNetwork, std::string(kJob) + "reserve = 1000\n");
  EXPECT_EQ(train_with(1, less, less).at("planned_again"), 1);
  EXPECT_EQ(plan().at("refusals").at(0).at("limit_bytes"), less - 1000);
  EXPECT_LE(arenas_[0], less - 1000);
}

/// It may be in pieces: then less and less is asked for, a few times.
TEST_F(PlanAgain, WhatADeviceCallsFreeNeedNotBeTrue) {
  const std::int64_t bytes = ample(2);
  const boost::json::object summary = train_with(2, bytes * 7 / 10, std::int64_t{1} << 40);
  EXPECT_GE(summary.at("planned_again").as_int64(), 2);
  EXPECT_LE(arenas_[0], bytes * 7 / 10);
  std::int64_t last = bytes + loader_;
  const boost::json::object made = plan();
  for (const auto& refusal : made.at("refusals").as_array()) {
    EXPECT_LT(refusal.at("limit_bytes").as_int64(), last);
    last = refusal.at("limit_bytes").as_int64();
  }
}

TEST_F(PlanAgain, EndsWithTheRankThatGetsNothing) {
  // So many samples that there are always smaller plans to try.
  job_ = folder_.write_job(kTinyNetwork, "samples = 500\n[train]\nbatch = 500\n[memory]\nlimit = \"1GiB\"\n");
  try {
    train_with(2, 0, std::int64_t{1} << 40);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
    EXPECT_THAT(error.what(), HasSubstr("rank 1 could not have its arena"));
    EXPECT_THAT(error.what(), HasSubstr("nor those of 4 plans before"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.path("run")));
}

TEST_F(PlanAgain, EndsWhenNoPlanFitsWhatIsLeft) {
  try {
    train_with(3, 1000, 1000);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
    EXPECT_THAT(error.what(), HasSubstr("rank 2 could not have its arena"));
    EXPECT_THAT(error.what(), HasSubstr("planned again within 1000 B. \"tiny\" does not fit"));
  }
}

}  // namespace
}  // namespace convoy::test
