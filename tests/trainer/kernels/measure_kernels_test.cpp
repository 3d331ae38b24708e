#include <gtest/gtest.h>

#include "layers/cpu/cpu_backend.h"
#include "tests/layers/cpu/fake_timer.h"
#include "trainer/kernels/measure_kernels.h"
#include "trainer/planner/search_plan.h"

namespace convoy::test {
namespace {

/// conv2 is most of the work; conv3 and conv4 are one problem.
constexpr const char* kMeasuredNetwork = R"(name = "net"
input = { channels = 3, height = 16, width = 16 }
layers = [
  { name = "conv1", type = "convolution", outputs = 32, kernel = 3, padding = 1 },
  { name = "conv2", type = "convolution", outputs = 128, kernel = 5, padding = 2 },
  { name = "conv3", type = "convolution", outputs = 128, kernel = 1 },
  { name = "conv4", type = "convolution", outputs = 128, kernel = 1 },
  { name = "ip", type = "fully_connected", outputs = 4 },
  { name = "loss", type = "softmax_loss" },
]
)";

class MeasureKernels : public testing::Test {
 protected:
  MeasureKernels() {
    request_.samples = 72;
    request_.batch = 32;
    request_.limit_bytes = std::int64_t{1} << 40;
    plan_ = search_plan(graph_, request_, *backend_, &lowerings_);
    uses_ = kernel_uses(graph_, plan_, lowerings_, *backend_);
  }

  Graph graph_ = parse_network(kMeasuredNetwork, "net.toml");
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  PlanRequest request_;
  Lowerings lowerings_;
  Plan plan_;
  std::vector<KernelUse> uses_;
  FakeTimer timer_;
};

TEST_F(MeasureKernels, TheCostliestProblemsComeFirst) {
  ASSERT_EQ(plan_.program.choices.train_samples.size(), 2U) << "the last batch is smaller";
  ASSERT_EQ(uses_.size(), 6U);
  EXPECT_EQ(uses_[0].place->site.layer->name, "conv2");
  EXPECT_EQ(uses_[0].place->site.batch, 32);
  for (std::size_t i = 1; i < uses_.size(); ++i) EXPECT_GE(uses_[i - 1].macs, uses_[i].macs);
  for (const KernelUse& use : uses_) EXPECT_NE(use.place->site.layer->name, "conv4");
}

TEST_F(MeasureKernels, WhatIsKnownIsNotMeasuredAgain) {
  KernelTrials known;
  for (const KernelUse& use : uses_) known[use.problem] = {"a", "b", {}};
  const KernelTrials before = known;
  measure_kernels(uses_, *backend_, timer_, known);
  EXPECT_EQ(known, before);
  EXPECT_TRUE(timer_.asked.empty());
}

TEST_F(MeasureKernels, TheTimeForItIsKeptAndTheRestComesTheNextTime) {
  timer_.budget = 0.05;  // at 1 ms for each run of a kernel
  KernelTrials known;
  measure_kernels(uses_, *backend_, timer_, known);
  EXPECT_LE(timer_.asked.size(), 100U);
  ASSERT_GE(known.size(), 1U);
  EXPECT_LT(known.size(), uses_.size());
  EXPECT_TRUE(known.contains(uses_[0].problem));
  for (int starts = 2; known.size() < uses_.size(); ++starts) {
    ASSERT_LE(starts, 10);
    FakeTimer next;
    next.budget = timer_.budget;
    measure_kernels(uses_, *backend_, next, known);
  }
}

TEST_F(MeasureKernels, ChoicesAreWhatWasFound) {
  const KernelTrials trials{{"p", {"a", "b", {{"a", 2}, {"b", 1}}}}, {"q", {"a", "a", {}}}};
  EXPECT_EQ(choices_of(trials), (KernelChoices{{"p", "b"}, {"q", "a"}}));
}

TEST_F(MeasureKernels, TellsWhatTheLayersTakeForEachSample) {
  KernelTrials known;
  for (const KernelUse& use : uses_) known[use.problem] = {"a", "a", {{"a", 8e-3}, {"b", 9e-3}}};
  known[uses_[0].problem].seconds.clear();  // conv2 has one way only, which was not timed
  const std::vector<double> seconds = measured_layers(graph_, plan_, lowerings_, *backend_, known);
  ASSERT_EQ(seconds.size(), 6U);
  EXPECT_EQ(seconds[1], 0);
  EXPECT_EQ(seconds[4], 0) << "fully connected";
  for (const std::size_t convolution : {0, 2, 3}) {
    // 32 samples at a time, of which the trial takes all or a part.
    Site site;
    for (const KernelUse& use : uses_) {
      const bool same = use.place->site.batch == 32 &&
                        backend_->kernel_problem(use.place->site).find("batch") != std::string::npos &&
                        use.place->site.output == graph_.output_shape(graph_.layers()[convolution]) &&
                        use.place->site.inputs == graph_.input_shapes(graph_.layers()[convolution]);
      if (same) site = use.place->site;
    }
    ASSERT_NE(site.layer, nullptr);
    EXPECT_DOUBLE_EQ(seconds[convolution], 8e-3 / (32 * backend_->trial_share(site)));
  }
  EXPECT_TRUE(measured_layers(graph_, plan_, {}, *backend_, known).empty());
}

TEST_F(MeasureKernels, ATrialIsAtMostTheWholeSite) {
  for (const KernelUse& use : uses_) {
    EXPECT_GT(backend_->trial_share(use.place->site), 0);
    EXPECT_LE(backend_->trial_share(use.place->site), 1);
  }
  Site large = uses_[0].place->site;
  large.batch = 4096;  // 16 are enough for a trial, and of these the first rows
  const double samples = backend_->trial_share(large) * 4096;
  EXPECT_LE(samples, 32);
  EXPECT_GE(samples, 8);
}

}  // namespace
}  // namespace convoy::test
