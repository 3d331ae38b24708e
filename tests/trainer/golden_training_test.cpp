#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/golden/hashed_values.h"
#include "tests/trainer/golden_values.h"
#include "tests/trainer/train_here.h"
#include "trainer/schedule.h"

// Ten training steps against PyTorch in double precision, from the job file's optimizer and schedule to the
// weights, momentum and running statistics; tests/golden/make_training.py wrote the file and documents it.
namespace convoy::test {
namespace {

constexpr std::int64_t kSteps = 10;
constexpr std::int64_t kBatch = 32;
constexpr const char* kJob = R"(samples = 320
mean = [128]
deviation = [64]
[train]
batch = 32
epochs = 10
[optimizer]
learning_rate = 0.01
momentum = 0.9
weight_decay = 5e-4
[schedule]
type = "step"
step_epochs = 4
gamma = 0.5
)";

/// How far from PyTorch a run may end, relative to the norm: some three to ten times what was measured.
/// Momentum tells most, it is the sum of the gradients.
struct Bounds {
  double losses, changes, momentum, statistics;
};
/// Ten roundings of a bias of about 0.1 that moves by 3e-4 are 2e-5 of its change.
constexpr Bounds kPlain{1e-6, 1e-4, 1e-5, 0};
/// Ten roundings of a batch norm's scale of about 1 that moves by 2e-4 are 8e-4 of its change. Gradients
/// below a batch norm were up to 4e-5 off in one step, 2e-5 in the momentum (PyTorch's fp32: 4e-6).
constexpr Bounds kBatchNorm{1e-6, 3e-3, 1e-4, 1e-5};

std::vector<float> first_values(const ParameterSpec& spec, const ParameterSlot& slot) {
  std::vector<float> values =
      hashed_values(static_cast<std::uint32_t>(100 + 10 * slot.layer + slot.parameter),
                    static_cast<std::size_t>(spec.elements()));
  const bool weight = spec.kind == ParameterKind::weight;
  const float scale = weight ? static_cast<float>(std::sqrt(3.0 / static_cast<double>(spec.fan_in))) : 0.25F;
  for (float& v : values) v = v * scale + (spec.name == "scale" ? 1.F : 0.F);
  return values;
}

/// One network's ten steps.
class Run {
 public:
  Run(Session& session, std::string network)
      : session_(session), executor_(session.executor()), network_(std::move(network)) {
    for (const ParameterSlot& slot : executor_.plan().program.parameters) {
      executor_.set(Executor::Buffer::weights, slot, first_values(spec_of(slot), slot));
    }
  }

  void go() {
    const std::vector<float> batches = golden_values(network_ + ".batches");
    ASSERT_EQ(batches.size(), static_cast<std::size_t>(kSteps));
    for (std::int64_t i = 0; i < kSteps; ++i) {
      losses_.push_back(step(i, static_cast<std::int64_t>(batches[static_cast<std::size_t>(i)])));
    }
  }

  void compare(const Bounds& bounds) const {
    const std::vector<float> expected = golden_values(network_ + ".losses");
    ASSERT_EQ(expected.size(), losses_.size());
    for (std::size_t i = 0; i < losses_.size(); ++i) {
      EXPECT_LE(distance({losses_[i]}, {expected[i]}), bounds.losses) << "loss of step " << i;
    }
    for (const ParameterSlot& slot : executor_.plan().program.parameters) {
      const std::string name = name_of(slot.layer) + spec_of(slot).name;
      const std::vector<float> momentum = executor_.get(Executor::Buffer::momentum, slot);
      EXPECT_LE(digest_distance(change_of(slot), golden_values(name + ".change")), bounds.changes) << name;
      EXPECT_LE(digest_distance({momentum.begin(), momentum.end()}, golden_values(name + ".momentum")),
                bounds.momentum)
          << name;
    }
    for (const StateSlot& slot : executor_.plan().program.states) {
      const std::string name =
          name_of(slot.layer) + layer(slot.layer).states[static_cast<std::size_t>(slot.state)].name;
      const std::vector<float> values = executor_.get_state(slot);
      EXPECT_LE(distance({values.begin(), values.end()}, golden_values(name)), bounds.statistics) << name;
    }
  }

 private:
  const Layer& layer(int index) const { return executor_.graph().layers()[static_cast<std::size_t>(index)]; }
  std::string name_of(int index) const { return network_ + "." + layer(index).name + "."; }
  const ParameterSpec& spec_of(const ParameterSlot& slot) const {
    return layer(slot.layer).parameters[static_cast<std::size_t>(slot.parameter)];
  }
  std::vector<double> change_of(const ParameterSlot& slot) const {
    const std::vector<float> before = first_values(spec_of(slot), slot);
    const std::vector<float> after = executor_.get(Executor::Buffer::weights, slot);
    std::vector<double> change(before.size());
    for (std::size_t i = 0; i < change.size(); ++i) {
      change[i] = static_cast<double>(after[i]) - static_cast<double>(before[i]);
    }
    return change;
  }

  /// Update number `i`, on batch number `batch`; gives the mean loss before it.
  double step(std::int64_t i, std::int64_t batch) {
    const Job& job = session_.job();
    const std::int64_t elements = executor_.graph().input().elements();
    StepContext context;
    context.iteration = i;
    context.sample_weight = 1 / static_cast<float>(kBatch);
    context.learning_rate =
        static_cast<float>(learning_rate(job.optimizer, job.schedule, static_cast<double>(i), kSteps));
    const std::int64_t size = executor_.plan().micro_batch;
    const Segment& segment = *executor_.plan().program.find(SegmentKind::train, size);
    for (std::int64_t first = 0; first < kBatch; first += size) {
      const auto sample = static_cast<std::uint32_t>(batch * kBatch + first);
      const auto pixel = sample * static_cast<std::uint32_t>(elements);
      std::vector<std::uint8_t> pixels;
      std::vector<std::int32_t> labels;
      for (std::uint32_t j = 0; j < size * elements; ++j)
        pixels.push_back(static_cast<std::uint8_t>(mix_bits(pixel + j) >> 24));
      for (std::uint32_t j = 0; j < size; ++j)
        labels.push_back(static_cast<std::int32_t>(mix_bits(sample + j) % 10));
      context.first_pass = first == 0;
      context.first_sample = first;
      context.valid_samples = size;
      executor_.load(segment, pixels.data(), labels.data(), size);
      executor_.run(segment, context, first + size == kBatch);
    }
    const double loss = executor_.metrics().loss / kBatch;
    executor_.update(context);
    return loss;
  }

  Session& session_;
  Executor& executor_;
  std::string network_;
  std::vector<double> losses_;
};

void compare_with_pytorch(const std::string& network, std::int64_t micro_batch, bool nesterov,
                          const Bounds& bounds) {
  const JobFolder folder;
  const std::string job = folder.write_job(golden_network(network), kJob);
  const std::vector<std::string> sets{fmt::format("train.micro_batch={}", micro_batch),
                                      fmt::format("optimizer.nesterov={}", nesterov)};
  with_sessions({job, folder.path("run"), 1, sets}, [&](Session& session) {
    ASSERT_EQ(session.executor().plan().micro_batch, micro_batch);
    Run run(session, network);
    run.go();
    run.compare(bounds);
  });
}

TEST(GoldenTraining, TenStepsOfLeNetEqualPyTorch) { compare_with_pytorch("lenet", 32, false, kPlain); }

TEST(GoldenTraining, TenStepsOfLeNetInMicroBatchesEqualPyTorch) {
  compare_with_pytorch("lenet", 16, false, kPlain);
}

TEST(GoldenTraining, TenStepsOfABatchNormNetworkEqualPyTorch) {
  compare_with_pytorch("fashion_net", 32, true, kBatchNorm);
}

}  // namespace
}  // namespace convoy::test
