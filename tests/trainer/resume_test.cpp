#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "launch/job/read_job.h"
#include "launch/job/write_job.h"
#include "tests/trainer/train_here.h"

namespace convoy::test {
namespace {

/// 10 updates: 2 epochs of 5, augmented, with momentum and a schedule; log lines only every 3 updates.
constexpr const char* kTenSteps = R"(samples = 35
test_samples = 12
flip = true
crop_padding = 1
[train]
batch = 8
epochs = 2
[schedule]
type = "cosine"
warmup_epochs = 0.5
[checkpoint]
keep = 1
[log]
every = 1
)";

/// A training set that asks for a stop as soon as a sample of it is read.
class StopsWhenRead : public Dataset {
 public:
  StopsWhenRead(std::shared_ptr<const Dataset> set, std::atomic<bool>& stop)
      : set_(std::move(set)), stop_(&stop) {}
  std::int64_t size() const override { return set_->size(); }
  int classes() const override { return set_->classes(); }
  const std::vector<std::string>& class_names() const override { return set_->class_names(); }
  Shape shape() const override { return set_->shape(); }
  std::int32_t read(std::int64_t index, Image& image) const override {
    stop_->store(true);
    return set_->read(index, image);
  }

 private:
  std::shared_ptr<const Dataset> set_;
  std::atomic<bool>* stop_;
};

/// As `convoy train` with a request to stop that comes to one rank when training starts: one update, a
/// checkpoint, and code `stopped`; an evaluation that was due before that update is done, one that is due
/// after it is not.
TrainOutcome one_step(const Here& here) {
  TrainOutcome outcome;
  std::atomic<bool> stop{false};
  run_ranks(here.ranks, [&](Communicator& comm) {
    JobInputs inputs = open_inputs(read_job(here.job, here.sets), Purposes::train);
    TrainOptions options;
    options.run_folder = here.run;
    options.job_text = job_to_toml(inputs.job);
    if (comm.rank() == here.ranks - 1) {
      options.stop = &stop;
      inputs.train = std::make_shared<StopsWhenRead>(inputs.train, stop);
    }
    const std::int64_t samples = inputs.train->size();
    Session session(std::move(inputs), comm, true, samples);
    const TrainOutcome own = train(session, options);
    if (comm.rank() == 0) outcome = own;
  });
  return outcome;
}

/// Stops after every single update and goes on; compares with a run that was never stopped.
void stop_everywhere(const char* network, int ranks, const std::vector<std::string>& sets = {}) {
  const JobFolder folder;
  const std::string job = folder.write_job(network, kTenSteps);
  train_here({job, folder.path("whole"), ranks, sets});
  int legs = 0;
  for (; legs < 20; ++legs) {
    const TrainOutcome outcome = one_step({job, folder.path("cut"), ranks, sets});
    if (outcome.code == ExitCode::done) break;
    ASSERT_EQ(outcome.code, ExitCode::stopped);
    EXPECT_EQ(outcome.summary.at("iterations").as_int64(), legs + 1);
  }
  EXPECT_EQ(legs, 10) << "the eleventh run only evaluates";
  EXPECT_EQ(newest_tensors(folder.path("cut")), newest_tensors(folder.path("whole")));
  EXPECT_EQ(losses_of(folder.path("cut")), losses_of(folder.path("whole")));
  const std::vector<double> iterations{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(numbers_of(metrics_of(folder.path("cut"), "train"), "iteration"), iterations);
  EXPECT_EQ(numbers_of(metrics_of(folder.path("cut"), "evaluation"), "iteration"),
            (std::vector<double>{5, 10}));
  EXPECT_EQ(summary_of(folder.path("cut")).at("top1"), summary_of(folder.path("whole")).at("top1"));
}

TEST(Resume, IsBitEqualAtAnyStepWithDropoutAndMomentum) { stop_everywhere(kTinyNetwork, 1); }

TEST(Resume, IsBitEqualAtAnyStepWithBatchNorm) {
  stop_everywhere(kTinyBatchNorm, 1, {"optimizer.nesterov=true"});
}

TEST(Resume, IsBitEqualAtAnyStepWithAuxiliaryHeads) {
  stop_everywhere(kTinyHeads, 1);
  stop_everywhere(kTinyHeads, 2);
}

TEST(Resume, IsBitEqualAtAnyStepOnTwoRanks) { stop_everywhere(kTinyBatchNorm, 2); }

TEST(Resume, IsBitEqualAtAnyStepOnFourRanksWithMicroBatches) {
  stop_everywhere(kTinyNetwork, 4, {"train.micro_batch=1"});
}

TEST(Resume, IsBitEqualWithoutMomentum) { stop_everywhere(kTinyNetwork, 1, {"optimizer.momentum=0"}); }

TEST(Resume, AFinishedRunGivesTheSameSummaryAgain) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyBatchNorm, kTenSteps);
  const TrainOutcome first = train_here({job, folder.path("run")});
  const std::string metrics = read_text(folder.path("run") + "/metrics.jsonl");
  const auto tensors = newest_tensors(folder.path("run"));
  const TrainOutcome second = train_here({job, folder.path("run")});
  EXPECT_EQ(second.code, ExitCode::done);
  for (const char* key : {"top1", "top5", "loss", "iterations", "epochs", "test_samples"}) {
    EXPECT_EQ(second.summary.at(key), first.summary.at(key)) << key;
  }
  EXPECT_GT(second.summary.at("images_per_second").as_double(), 0);
  EXPECT_EQ(newest_tensors(folder.path("run")), tensors);
  EXPECT_EQ(metrics_of(folder.path("run"), "evaluation").size(), 2U);
  EXPECT_EQ(losses_of(folder.path("run")).size(), 10U) << metrics;
}

TEST(Resume, MayGoOnWithOtherRanksAndMicroBatches) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, kTenSteps);
  train_here({job, folder.path("whole")});
  for (const int ranks : {1, 3, 2, 4, 1, 2, 1, 4, 3, 2}) {
    one_step({job, folder.path("cut"), ranks, {ranks == 1 ? "train.micro_batch=3" : "train.micro_batch=0"}});
  }
  EXPECT_LT(largest_difference(losses_of(folder.path("cut")), losses_of(folder.path("whole"))), 1e-5);
}

TEST(Resume, MoreEpochsContinueAFinishedRun) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, kTenSteps);
  const std::vector<std::string> constant{"schedule.type=\"constant\""};
  train_here({job, folder.path("whole"), 1, {constant[0], "train.epochs=3"}});
  train_here({job, folder.path("cut"), 1, constant});
  train_here({job, folder.path("cut"), 1, {constant[0], "train.epochs=3"}});
  EXPECT_EQ(newest_tensors(folder.path("cut")), newest_tensors(folder.path("whole")));
}

TEST(Resume, WeightsThatAreNotFiniteDoNotTakeTheLastGoodCheckpointsPlace) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, kTenSteps);
  train_here({job, folder.path("run")});
  const auto good = newest_tensors(folder.path("run"));
  const auto refuse_to_save = [&](Session& session, Executor::Buffer buffer) {
    Executor& executor = session.executor();
    const ParameterSlot& slot = executor.plan().program.parameters.back();
    std::vector<float> values = executor.get(buffer, slot);
    values.back() = std::numeric_limits<float>::infinity();
    executor.set(buffer, slot, values);
    const CheckpointStore store(folder.path("run") + "/checkpoints", 1);
    try {
      save_checkpoint(store, executor, session.comm(), {11, 1.0}, {});
      ADD_FAILURE() << "saved on rank " << session.comm().rank();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::diverged) << error.what();
      EXPECT_THAT(error.what(), ::testing::HasSubstr("is not finite after update 11"));
    }
  };
  with_sessions({job, folder.path("run"), 2},
                [&](Session& session) { refuse_to_save(session, Executor::Buffer::weights); });
  with_sessions({job, folder.path("run"), 3, {"train.shard_optimizer=true"}},
                [&](Session& session) { refuse_to_save(session, Executor::Buffer::momentum); });
  EXPECT_EQ(newest_tensors(folder.path("run")), good);
}

TEST(Resume, RefusesAnotherSeedBatchOrDataSetAndLeavesTheRunAsItWas) {
  const JobFolder folder;
  const std::string job = folder.write_job(kTinyNetwork, kTenSteps);
  train_here({job, folder.path("run")});
  const std::string before =
      read_text(folder.path("run") + "/job.toml") + read_text(folder.path("run") + "/metrics.jsonl");
  for (const char* set : {"seed=2", "train.batch=16", "data.samples=36"}) {
    try {
      train_here({job, folder.path("run"), 2, {set}});
      FAIL() << set;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage) << error.what();
    }
  }
  EXPECT_EQ(read_text(folder.path("run") + "/job.toml") + read_text(folder.path("run") + "/metrics.jsonl"),
            before);
}

}  // namespace
}  // namespace convoy::test
