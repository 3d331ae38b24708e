#include <fmt/format.h>
#include <gtest/gtest.h>

#include "layers/cpu/cpu_backend.h"
#include "tests/layers/cpu/fake_timer.h"
#include "tests/layers/cpu/layer_bench.h"

// What is chosen from given times. Changes of layout are timed as "... to ...".
namespace convoy::test {
namespace {

constexpr const char* kRow = R"({ type = "convolution", outputs = 64, kernel = 3, padding = 1 })";
constexpr const char* kUsual = "any automatic/automatic/automatic";

/// A convolution of 64 to 64 channels whose input is plain.
class Trial : public testing::Test {
 protected:
  void SetUp() override {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") == 0) GTEST_SKIP() << "the ways are known for AVX-512 only";
#endif
  }

  Site site(std::int64_t batch) const {
    const Layer& layer = graph_.layers()[0];
    return {&layer, 0, graph_.input_shapes(layer), graph_.output_shape(layer), batch, true, {true}};
  }

  std::optional<KernelTrial> run(std::int64_t batch = 16) {
    const std::vector<Layout> inputs{backend_->input_layout(graph_.input(), batch, DType::f32)};
    return backend_->try_kernels(site(batch), inputs, timer_);
  }

  std::string chosen() {
    const std::optional<KernelTrial> trial = run();
    return trial ? trial->chosen : "nothing";
  }

  Graph graph_ = parse_network(network_of(kRow, {64, 14, 14}), "bench.toml");
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  FakeTimer timer_;
};

TEST_F(Trial, KeepsTheUsualWayUnlessAnotherIsClearlyFaster) {
  timer_.of = times({{{" to "}, 0}, {{"channels_last"}, 0.97}}, 1);
  EXPECT_EQ(chosen(), kUsual);
  timer_.of = times({{{" to "}, 0}, {{"channels_last direct"}, 0.9}}, 1);
  EXPECT_EQ(chosen(), "channels_last direct/direct/direct");
}

TEST_F(Trial, CountsTheChangesOfLayoutThatAWayMakesNecessary) {
  // Plain to blocked and back for the usual way; two more each way for channels last.
  timer_.of = times({{{" to "}, 1}, {{"channels_last"}, 0.5}}, 1);
  EXPECT_EQ(chosen(), kUsual);
  timer_.of = times({{{" to "}, 0.1}, {{"channels_last direct"}, 0.5}}, 1);
  EXPECT_EQ(chosen(), "channels_last direct/direct/direct");
}

TEST_F(Trial, ChoosesPassByPassWhereTheLayoutsAllow) {
  timer_.of = times({{{" to "}, 0}, {{"any direct", "backward_weights"}, 0.5}}, 1);
  EXPECT_EQ(chosen(), "any automatic/direct/automatic");
}

TEST_F(Trial, RunsWhatIsHopelessOnce) {
  timer_.of = times({{{" to "}, 0}, {{"channels_last"}, 9}}, 1e-3);
  ASSERT_TRUE(run());
  const auto runs = [&](const std::string& way) {
    return std::count(timer_.asked.begin(), timer_.asked.end(), fmt::format("{} forward", way));
  };
  EXPECT_EQ(runs("channels_last direct/direct/direct"), 1);
  EXPECT_GT(runs(kUsual), 1);
}

TEST_F(Trial, GivesNothingWhenTimeRunsOutOrMemoryIsShort) {
  timer_.budget = 1.25e-3;
  EXPECT_FALSE(run());
  EXPECT_EQ(timer_.asked.size(), 3U);
  timer_.budget = 1e9;
  timer_.limit = 1 << 20;
  EXPECT_FALSE(run());
}

TEST_F(Trial, GivesNothingWhileOtherWorkDisturbsTheTimes) {
  double time = 1e-3;
  timer_.of = [&](const std::string&) { return time *= 0.98; };
  EXPECT_FALSE(run());
  EXPECT_GT(timer_.asked.size(), 30U) << "tried a few times";
}

TEST_F(Trial, TellsTheTimeOfEachWay) {
  timer_.of = times({{{" to "}, 0}, {{"channels_last"}, 2}}, 1);
  const std::optional<KernelTrial> trial = run();
  ASSERT_TRUE(trial);
  EXPECT_EQ(trial->usual, kUsual);
  EXPECT_FALSE(trial->differs());
  EXPECT_EQ(trial->seconds.at(kUsual), 3);
  EXPECT_EQ(trial->seconds.at("channels_last direct/direct/direct"), 6);
}

TEST_F(Trial, OfALargeBatchTakesAPartOfItAndSharesItsChoice) {
  EXPECT_EQ(backend_->kernel_problem(site(2048)), backend_->kernel_problem(site(5000)));
  EXPECT_EQ(backend_->kernel_problem(site(43)), backend_->kernel_problem(site(44)));
  EXPECT_NE(backend_->kernel_problem(site(2)), backend_->kernel_problem(site(16)));
  timer_.limit = std::int64_t{600} << 20;
  EXPECT_TRUE(run(1 << 20));
}

TEST_F(Trial, IsOfConvolutionsOnly) {
  const Graph relu = parse_network(network_of(R"({ type = "relu" })", {4, 3, 3}), "relu.toml");
  const Layer& layer = relu.layers()[0];
  const Site site{&layer, 0, relu.input_shapes(layer), relu.output_shape(layer), 2, true, {true}};
  EXPECT_EQ(backend_->kernel_problem(site), "");
}

}  // namespace
}  // namespace convoy::test
