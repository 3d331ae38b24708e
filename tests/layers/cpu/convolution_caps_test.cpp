#include <gtest/gtest.h>

#include <cmath>

#include "tests/layers/cpu/hashed_bench.h"

// Kernels of the processor under caps of scratch.
namespace convoy {
namespace {

constexpr const char* kConvolution = R"({ type = "convolution", outputs = 64, kernel = 3, padding = 1 })";
constexpr const char* kDeconvolution = R"({ type = "deconvolution", outputs = 64, kernel = 3, padding = 1 })";
constexpr Shape kShape{64, 14, 14};
constexpr std::int64_t kBatch = 16;  // oneDNN's Winograd asks for more than 8

/// "forward: jit_wino...", by pass.
std::map<PassKind, std::string> kernels_of(const LayerBench& bench) {
  std::map<PassKind, std::string> kernels;
  const std::vector<PassSpec>& passes = bench.lowered().spec().passes;
  for (std::size_t p = 0; p < passes.size(); ++p) kernels[passes[p].kind] = bench.lowered().implementation(p);
  return kernels;
}

std::map<PassKind, std::int64_t> scratch_of(const LayerBench& bench) {
  std::map<PassKind, std::int64_t> bytes;
  for (const PassSpec& pass : bench.lowered().spec().passes) bytes[pass.kind] = pass.scratch_bytes;
  return bytes;
}

bool is_winograd(const std::string& kernel) { return kernel.find("wino") != std::string::npos; }

class Caps : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const LayerBench usual(GetParam(), kShape, kBatch);
    usual_ = kernels_of(usual);
    liked_ = scratch_of(usual);
    for (const auto& [pass, kernel] : usual_) {
      if (!is_winograd(kernel)) GTEST_SKIP() << "this processor has no Winograd kernels: " << kernel;
    }
    EXPECT_EQ(usual.lowered().spec().cap, CapShare::allows);
  }

  std::map<PassKind, std::string> usual_;
  std::map<PassKind, std::int64_t> liked_;
};

TEST_P(Caps, ALeanPassTakesAnotherAlgorithmAndTheOthersDoNot) {
  for (const auto& [lean, liked] : liked_) {
    const LayerBench bench(GetParam(), kShape, kBatch, {.lean = {lean}});
    const auto scratch = scratch_of(bench);
    for (const auto& [pass, kernel] : kernels_of(bench)) {
      EXPECT_EQ(is_winograd(kernel), pass != lean) << name_of(lean) << ": " << kernel;
      if (pass != lean) {
        EXPECT_EQ(scratch.at(pass), liked_.at(pass));
      }
    }
    EXPECT_LT(scratch.at(lean), liked / 4);
    EXPECT_EQ(bench.lowered().spec().cap, CapShare::decides);
  }
}

TEST_P(Caps, OnlyPassesAboveTheCapChange) {
  for (const auto& [cap, bytes] : liked_) {
    const LayerBench bench(GetParam(), kShape, kBatch, {.workspace_bytes = bytes - 1});
    for (const auto& [pass, kernel] : kernels_of(bench))
      EXPECT_EQ(is_winograd(kernel), liked_.at(pass) < bytes) << name_of(pass) << " under " << bytes - 1;
    const LayerBench enough(GetParam(), kShape, kBatch, {.workspace_bytes = bytes});
    EXPECT_EQ(kernels_of(enough).at(cap), usual_.at(cap));
  }
  const LayerBench none(GetParam(), kShape, kBatch, {.workspace_bytes = 0});
  for (const auto& [pass, kernel] : kernels_of(none)) EXPECT_FALSE(is_winograd(kernel)) << kernel;
}

TEST_P(Caps, TheNumbersStayWhatTheyAre) {
  LayerBench usual(GetParam(), kShape, kBatch);
  run_hashed(usual);
  for (const std::int64_t cap : {std::int64_t{0}, liked_.begin()->second - 1}) {
    LayerBench capped(GetParam(), kShape, kBatch, {.workspace_bytes = cap});
    run_hashed(capped);
    EXPECT_LT(distance(capped.output, usual.output), 1e-5);
    EXPECT_LT(distance(capped.input_gradients[0], usual.input_gradients[0]), 1e-5);
    for (std::size_t p = 0; p < usual.parameter_gradients.size(); ++p)
      EXPECT_LT(distance(capped.parameter_gradients[p], usual.parameter_gradients[p]), 1e-5);
    EXPECT_TRUE(capped.fences_stand());
  }
}

INSTANTIATE_TEST_SUITE_P(Layers, Caps, testing::Values(kConvolution, kDeconvolution), [](const auto& layer) {
  return std::string(layer.param == kConvolution ? "convolution" : "deconvolution");
});

TEST(Cap, HoldsForAWayThatWasChosenToo) {
  BenchSettings settings{.way = "any automatic/direct/automatic"};
  const auto chosen = kernels_of(LayerBench(kConvolution, kShape, kBatch, settings));
  if (!is_winograd(chosen.at(PassKind::forward))) GTEST_SKIP() << "no Winograd kernels";
  settings.lean = {PassKind::forward};
  const auto lean = kernels_of(LayerBench(kConvolution, kShape, kBatch, settings));
  EXPECT_FALSE(is_winograd(lean.at(PassKind::forward)));
  EXPECT_EQ(lean.at(PassKind::backward_weights), chosen.at(PassKind::backward_weights));
  EXPECT_TRUE(is_winograd(lean.at(PassKind::backward_data)));
}

TEST(Cap, LeavesAPassThatCanDoWithNoLess) {
  // Direct already: some scratch for the sums of threads, or none.
  const char* row = R"({ type = "convolution", outputs = 32, kernel = 3, padding = 1 })";
  const LayerBench usual(row, {32, 9, 9}, kBatch);
  const LayerBench capped(row, {32, 9, 9}, kBatch, {.workspace_bytes = 0});
  EXPECT_EQ(kernels_of(capped), kernels_of(usual));
  EXPECT_EQ(scratch_of(capped), scratch_of(usual));
  EXPECT_EQ(capped.lowered().spec().cap, CapShare::allows);
}

}  // namespace
}  // namespace convoy
