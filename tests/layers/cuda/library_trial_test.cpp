#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/layers/cpu/fake_timer.h"
#include "tests/layers/cpu/layer_bench.h"
#include "tests/layers/cuda/host_backend.h"
#include "tests/layers/cuda/pretended_libraries.h"

// What is chosen among libraries' kernels from given times.
namespace convoy::test {
namespace {

using ::testing::Contains;
using ::testing::Key;

constexpr const char* kRow = R"({ type = "convolution", outputs = 8, kernel = 3, padding = 1, groups = 2 })";

class LibraryTrial : public testing::Test {
 protected:
  std::optional<KernelTrial> run(const PretendedLibraries& libraries, const char* row = kRow,
                                 std::int64_t workspace = 1 << 20) {
    backend_ = make_backend_with_libraries(device_, libraries);
    graph_ = parse_network(network_of(row, {4, 5, 5}), "trial.toml");
    return backend_->try_kernels(site(workspace), {}, timer_);
  }
  Site site(std::int64_t workspace = 1 << 20) const {
    const Layer& layer = graph_.layers()[0];
    Site made{&layer, 0, graph_.input_shapes(layer), graph_.output_shape(layer), 2, true, {true}};
    made.workspace_bytes = workspace;
    return made;
  }
  /// The kernels of the layer's passes, when `choices` are taken.
  std::vector<std::string> kernels(const KernelChoices& choices) {
    backend_->choose_kernels(choices);
    const auto layer = backend_->lower(site(), {});
    std::vector<std::string> names;
    for (std::size_t p = 0; p < layer->spec().passes.size(); ++p) names.push_back(layer->implementation(p));
    return names;
  }

  HostAsGpu device_;
  std::unique_ptr<Backend> backend_;
  Graph graph_ = parse_network(network_of(kRow, {4, 5, 5}), "trial.toml");
  FakeTimer timer_;
};

TEST_F(LibraryTrial, KeepsTheUsualKernelsUnlessOthersAreClearlyFaster) {
  timer_.of = times({{{"b"}, 0.98}}, 1);
  const auto close = run({.kernels = {"a", "c"}}, kRow);
  ASSERT_TRUE(close);
  EXPECT_FALSE(close->differs());
  EXPECT_EQ(close->usual, "a | a | a");
  timer_.of = times({{{"c"}, 0.9}}, 1);
  EXPECT_EQ(run({.kernels = {"a", "c"}})->chosen, "c | c | c");
}

TEST_F(LibraryTrial, TakesGroupsApartWhereThatIsFaster) {
  timer_.of = times({{{"by group"}, 0.5}}, 1);
  const auto trial = run({.kernels = {"a"}});
  ASSERT_TRUE(trial);
  EXPECT_EQ(trial->usual, "a | a | a");
  EXPECT_EQ(trial->chosen, "a by group | a by group | a by group");
  EXPECT_THAT(kernels({{backend_->kernel_problem(site()), trial->chosen}}), testing::Each("a by group"));
}

TEST_F(LibraryTrial, TakesGroupsApartWhereTheLibraryHasNothingElse) {
  const auto trial = run({.kernels = {"a"}, .grouped = false});
  ASSERT_TRUE(trial);
  EXPECT_EQ(trial->usual, "a by group | a by group | a by group");
  EXPECT_THAT(kernels({}), testing::Each("a by group"));
  run({.kernels = {"a"}, .grouped = false},
      R"({ type = "convolution", outputs = 8, kernel = 3, groups = 1 })");
  EXPECT_THAT(kernels({}), testing::Each("a"));
}

TEST_F(LibraryTrial, TakesGroupsApartUnmeasuredWhereThatAloneHasTensorCores) {
  const PretendedLibraries libraries{.kernels = {"a", "c"}, .tensor_cores = true};
  const auto trial = run(libraries);
  ASSERT_TRUE(trial);
  EXPECT_EQ(trial->usual, "a by group | a by group | a by group");
  EXPECT_THAT(trial->seconds, Contains(Key("c | a by group | a by group")));
  EXPECT_THAT(kernels({}), testing::Each("a by group"));
  EXPECT_THAT(kernels({{backend_->kernel_problem(site()), "c | c | c"}}), testing::Each("c"));
}

TEST_F(LibraryTrial, ChoosesPassByPass) {
  int calls = 0;
  // Forward is timed first, four rounds of two kernels and two ways to take them.
  timer_.of = [&](const std::string& what) { return ++calls > 16 && what == "c" ? 0.1 : 1.0; };
  const auto trial = run({.kernels = {"a", "c"}});
  ASSERT_TRUE(trial);
  EXPECT_EQ(trial->chosen, "a | c | c");
  EXPECT_NEAR(trial->seconds.at("a | c | c"), 1.2, 1e-9);
  EXPECT_NEAR(trial->seconds.at("a | a | a"), 3, 1e-9);
  EXPECT_NEAR(trial->seconds.at("a | a | c"), 2.1, 1e-9);
  EXPECT_THAT(kernels({{backend_->kernel_problem(site()), trial->chosen}}),
              testing::ElementsAre("a", "c", "c"));
}

TEST_F(LibraryTrial, DoesNotCountAKernelsFirstRun) {
  std::map<std::string, int> runs;
  timer_.of = [&](const std::string& what) { return runs[what]++ % 4 == 0 ? 9.0 : what == "c" ? 0.5 : 1.0; };
  EXPECT_EQ(run({.kernels = {"a", "c"}})->chosen, "c | c | c");
}

TEST_F(LibraryTrial, GivesNothingWhenTimeRunsOutOrMemoryIsShort) {
  timer_.budget = 1e-3;
  EXPECT_FALSE(run({.kernels = {"a", "c"}}));
  timer_.budget = 1e9;
  timer_.limit = 1 << 10;
  EXPECT_FALSE(run({.kernels = {"a", "c"}}));
}

TEST_F(LibraryTrial, TakesNoKernelThatNeedsMoreScratchThanThePlanGives) {
  const PretendedLibraries large{.kernels = {"a", "c"}, .scratch = 1 << 12};
  const char* row = R"({ type = "convolution", outputs = 8, kernel = 3, padding = 1, bias = false })";
  EXPECT_EQ(run(large, row, 1 << 11)->chosen, "convoy | convoy | convoy");
  EXPECT_EQ(run(large, row, 1 << 12)->chosen, "a | a | a");
  EXPECT_NE(backend_->kernel_problem(site(1 << 11)), backend_->kernel_problem(site(1 << 12)));
}

TEST_F(LibraryTrial, RunsTheUsualKernelWhereTheChosenOneIsNotToBeHad) {
  run({.kernels = {"a", "c"}});
  const std::string problem = backend_->kernel_problem(site());
  EXPECT_THAT(kernels({{problem, "of another version | c | "}}), testing::ElementsAre("a", "c", "a"));
  EXPECT_THAT(kernels({{problem, ""}}), testing::Each("a"));
  EXPECT_THAT(kernels({{"another problem", "c | c | c"}}), testing::Each("a"));
}

TEST_F(LibraryTrial, IsOfConvolutionsAndProducts) {
  EXPECT_THAT(run({.kernels = {"a", "c"}}, R"({ type = "fully_connected", outputs = 8 })")->seconds,
              Contains(Key("a | a | a")));
  EXPECT_FALSE(run({.kernels = {"a", "c"}}, R"({ type = "relu" })"));
  EXPECT_EQ(backend_->kernel_problem(site()), "");
  EXPECT_EQ(make_host_backend(device_)->kernel_problem(site()), "") << "without libraries there is no choice";
}

}  // namespace
}  // namespace convoy::test
