#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/cpu/cpu_backend.h"
#include "layers/device/cpu/cpu_device.h"
#include "tests/golden/hashed_values.h"
#include "tests/trainer/train_here.h"
#include "tests/trainer/worker_under_test.h"
#include "trainer/parameters.h"

// Updates about which the device decides, while the host goes on: those whose gradients overflowed are left
// out, on all ranks alike, and with the results of the processor.
namespace convoy::test {
namespace {

class GpuLossScale : public ::testing::Test {
 protected:
  void train(const std::string& job, int ranks, const std::vector<std::string>& sets) {
    last_ = folder_.path("run-" + std::to_string(runs_++));
    go_on(job, ranks, sets);
  }
  void go_on(const std::string& job, int ranks, const std::vector<std::string>& sets) {
    Here here{job, last_, ranks, sets};
    here.worker = worker_under_test;
    train_here(here);
  }
  std::int64_t skipped() const { return summary_of(last_).at("skipped_updates").as_int64(); }

  JobFolder folder_;
  int runs_ = 0;
  std::string last_;  ///< run folder
};

/// Goes on with a loss scale of so much.
void set_loss_scale(Executor& executor, double scale, std::int64_t good_updates) {
  UpdateState state = executor.update_state();
  state.loss_scale = scale;
  state.good_updates = good_updates;
  executor.set_update_state(state);
}

TEST_F(GpuLossScale, LeavesUpdatesOutWhoseGradientsOverflow) {
  const std::string job = folder_.write_job(kTinyNetwork, kGpuJob);
  Here here{job, folder_.path("run"), 2, {"train.precision=\"fp16\""}};
  here.worker = worker_under_test;
  with_sessions(here, [](Session& session) {
    Executor& executor = session.executor();
    set_loss_scale(executor, 0x1p30, 5);
    const std::vector<float> before = values_of(executor, "ip.weight");
    take_steps(session, 1, 0.1);
    EXPECT_EQ(executor.update_state().skipped_updates, 1);
    EXPECT_EQ(executor.update_state().loss_scale, 0x1p29);
    EXPECT_EQ(executor.update_state().good_updates, 0);
    EXPECT_EQ(values_of(executor, "ip.weight"), before);
    take_steps(session, 3, 0.1);
    set_loss_scale(executor, 1024, 0);
    take_steps(session, 1, 0.1);
    EXPECT_EQ(executor.update_state().good_updates, 1);
    EXPECT_NE(values_of(executor, "ip.weight"), before);
  });
}

// Down from far too large a scale: at last few gradients overflow, on some rank alone.
TEST_F(GpuLossScale, LeavesUpdatesOutOnAllRanksAlike) {
  const std::string job = folder_.write_job(kTinyHeads, kGpuJob);
  for (const char* divided : {"false", "true"}) {
    Here here{job,
              folder_.path("run"),
              3,
              {"train.precision=\"fp16\"", "train.clip_norm=0.5", "comm.bucket=\"1KiB\"",
               std::string("train.shard_optimizer=") + divided}};
    here.worker = worker_under_test;
    with_sessions(here, [](Session& session) {
      Executor& executor = session.executor();
      set_loss_scale(executor, 0x1p30, 0);
      int left_out = 0;
      for (int i = 0; i < 20; ++i) {
        take_steps(session, 1, 0.1);
        const UpdateState state = executor.update_state();
        std::array<double, 4> mine{state.loss_scale, state.gradient_norm,
                                   static_cast<double>(state.gradient_scale),
                                   static_cast<double>(state.skips_update)};
        std::array<double, 4> first = mine;
        session.comm().broadcast(first, 0, "state");
        EXPECT_EQ(mine, first) << i;
        EXPECT_EQ(state.gradient_norm == 0, state.skips_update != 0);
        left_out += state.skips_update;
      }
      EXPECT_GT(left_out, 5);
      EXPECT_LT(left_out, 20);
    });
  }
}

/// An Executor with a loss scale in full precision, which the processor has too: where gradients overflow
/// follows from the scale alone.
class ScaledInFullPrecision {
 public:
  ScaledInFullPrecision(const Graph& graph, Worker worker, Communicator& comm)
      : comm_(comm), worker_(std::move(worker)) {
    if (worker_.backend == nullptr) worker_.backend = make_cpu_backend();
    PlanRequest request;
    request.samples = request.batch = kBatch;
    request.ranks = comm.size();
    request.clips = true;
    request.shard_optimizer = comm.size() > 1;
    request.limit_bytes = std::int64_t{1} << 40;
    Plan plan = make_plan(graph, request, *worker_.backend);
    Choices choices = plan.program.choices;
    choices.scales_loss = true;
    plan.program = build_program(graph, choices, *worker_.backend);
    std::vector<Block> blocks;
    for (const Tensor& tensor : plan.program.tensors)
      blocks.push_back({tensor.first, tensor.last, tensor.bytes});
    plan.layout = lay_out(blocks, plan.program.alignment);
    OptimizerSettings optimizer;
    optimizer.clip_norm = 0.5;
    executor_ = std::make_unique<Executor>(std::move(plan), graph, *worker_.backend, *worker_.device, comm,
                                           optimizer, PixelScale{{128}, {64}}, worker_.collectives.get());
    initialise(*executor_, 1);
    set_loss_scale(*executor_, 0x1p136, 0);
  }
  Executor& executor() { return *executor_; }

  /// The loss of all ranks before the update.
  double step(int iteration) {
    const std::int64_t count = kBatch / comm_.size();
    const auto first = static_cast<std::uint32_t>(iteration * kBatch + comm_.rank() * count);
    std::vector<std::uint8_t> pixels;
    std::vector<std::int32_t> labels;
    for (std::uint32_t i = 0; i < count * 64; ++i)
      pixels.push_back(static_cast<std::uint8_t>(mix_bits(first * 64 + i) >> 24));
    for (std::uint32_t i = 0; i < count; ++i)
      labels.push_back(static_cast<std::int32_t>(mix_bits(first + i) % 4));
    StepContext context;
    context.iteration = iteration;
    context.sample_weight = 1.F / kBatch;
    context.learning_rate = 0.05F;
    context.valid_samples = count;
    context.first_sample = comm_.rank() * count;
    const Segment& segment = *executor_->plan().program.find(SegmentKind::train, count);
    executor_->load(segment, pixels.data(), labels.data(), count);
    executor_->run(segment, context, true);
    const double loss = executor_->metrics().loss;
    executor_->update(context);
    return comm_.all_reduce(loss, Reduction::sum, "loss") / kBatch;
  }

 private:
  static constexpr int kBatch = 8;
  Communicator& comm_;
  Worker worker_;
  std::unique_ptr<Executor> executor_;
};

TEST_F(GpuLossScale, LeavesOutAndClipsTheUpdatesThatTheProcessorDoes) {
  const Graph graph = parse_network(kTinyNetwork, "net.toml");
  for (const int ranks : {1, 2}) {
    run_ranks(ranks, [&](Communicator& comm) {
      Worker processor;
      processor.device = std::make_unique<CpuDevice>();
      ScaledInFullPrecision here(graph, std::move(processor), comm);
      ScaledInFullPrecision there(graph, worker_under_test(comm), comm);
      for (int i = 0; i < 30; ++i) {
        const double expected = here.step(i);
        EXPECT_NEAR(there.step(i), expected, 1e-4 * expected) << i;
        const UpdateState mine = here.executor().update_state();
        const UpdateState other = there.executor().update_state();
        EXPECT_EQ(other.loss_scale, mine.loss_scale) << i;
        EXPECT_EQ(other.good_updates, mine.good_updates);
        EXPECT_EQ(other.skipped_updates, mine.skipped_updates);
        EXPECT_NEAR(other.gradient_norm, mine.gradient_norm, 1e-3 * mine.gradient_norm);
      }
      const UpdateState state = there.executor().update_state();
      EXPECT_GT(state.skipped_updates, 5);
      EXPECT_GT(state.good_updates, 5);
    });
  }
}

/// With a loss whose gradients overflow at first.
std::string overflowing(const char* network, const char* weight) {
  std::string text = network;
  text.replace(text.find("\"softmax_loss\""), 14, std::string("\"softmax_loss\", weight = ") + weight);
  return text;
}

TEST_F(GpuLossScale, GoesOnAmidOverflowsAsIfItHadNotStopped) {
  const std::string job = folder_.write_job(overflowing(kTinyBatchNorm, "1000"), kGpuJob);
  for (const char* divided : {"false", "true"}) {
    const std::vector<std::string> sets{"train.precision=\"fp16\"",
                                        "train.clip_norm=0.5",
                                        "train.epochs=4",
                                        "log.every=7",
                                        "checkpoint.every_iterations=3",
                                        std::string("train.shard_optimizer=") + divided};
    train(job, 2, sets);
    const auto whole = newest_tensors(last_);
    const std::int64_t all_skipped = skipped();
    EXPECT_GT(all_skipped, 4);
    for (const char* stop : {"3", "4", "13"}) {
      std::vector<std::string> part = sets;
      part.push_back(std::string("train.iterations=") + stop);
      train(job, 2, part);
      const std::int64_t before = skipped();
      go_on(job, 2, sets);
      EXPECT_TRUE(newest_tensors(last_) == whole) << stop << divided;
      EXPECT_EQ(before + skipped(), all_skipped);
    }
  }
}

TEST_F(GpuLossScale, EndsWhereALossScaleOfOneDoesNotHelp) {
  const std::string job = folder_.write_job(overflowing(kTinyNetwork, "1e6"), kGpuJob);
  for (const int ranks : {1, 2}) {
    try {
      train(job, ranks, {"train.precision=\"fp16\"", "train.batch=2", "log.every=4"});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::diverged) << error.what();
      EXPECT_THAT(error.what(), ::testing::HasSubstr("after update 16, with a loss scale of 1"));
    }
    EXPECT_TRUE(checkpoints_of(last_).empty());
  }
}

}  // namespace
}  // namespace convoy::test
