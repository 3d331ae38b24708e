#include <gtest/gtest.h>

#include <limits>

#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

// What holds over several micro-batches and for padding samples.
namespace convoy {
namespace {

TEST(SoftmaxLoss, AddsItsMetricsUpOverMicroBatchesAndLeavesPaddingOut) {
  LayerBench bench("{ type = \"softmax_loss\" }", {7, 1, 1}, 4);
  bench.inputs[0] = hashed_values(1, 28);
  bench.labels = {0, 6, 3, 3};
  bench.forward();
  const Metrics whole = bench.metrics;
  EXPECT_EQ(whole.samples, 4);
  bench.context.first_pass = false;
  bench.context.valid_samples = 1;
  bench.forward();
  EXPECT_EQ(bench.metrics.samples, 5);
  EXPECT_GT(bench.metrics.loss, whole.loss);
  bench.context.first_pass = true;
  bench.context.valid_samples = 3;
  bench.forward();
  EXPECT_EQ(bench.metrics.samples, 3);
  EXPECT_LT(bench.metrics.loss, whole.loss);
}

TEST(SoftmaxLoss, StaysFiniteForLargeScores) {
  LayerBench bench("{ type = \"softmax_loss\" }", {3, 1, 1}, 2);
  bench.inputs[0] = {1e4F, -1e4F, 0, 3e38F, 0, -3e38F};
  bench.labels = {0, 0};
  bench.forward();
  bench.backward();
  EXPECT_NEAR(bench.metrics.loss, 0, 1e-6);
  EXPECT_EQ(bench.metrics.top1, 2);
  for (const float v : bench.input_gradients[0]) EXPECT_EQ(v, 0);
}

// A tie may not count as a hit twice: among c equal scores only the label of lowest index is first.
TEST(SoftmaxLoss, CountsATieForOneClassOnly) {
  LayerBench bench("{ type = \"softmax_loss\" }", {10, 1, 1}, 10);
  for (std::size_t n = 0; n < 10; ++n) bench.labels[n] = static_cast<std::int32_t>(n);
  bench.forward();
  EXPECT_EQ(bench.metrics.top1, 1);
  EXPECT_EQ(bench.metrics.top5, 5);
}

TEST(SoftmaxLoss, CountsScoresThatAreNotNumbersAsMisses) {
  LayerBench bench("{ type = \"softmax_loss\" }", {8, 1, 1}, 1);
  bench.inputs[0].assign(8, std::numeric_limits<float>::quiet_NaN());
  bench.forward();
  EXPECT_EQ(bench.metrics.top5, 0);
}

TEST(BatchNorm, AddsStatisticsOfMicroBatchesUpByTheirShare) {
  LayerBench bench("{ type = \"batch_norm\" }", {3, 4, 4}, 2);
  bench.parameters[0] = {1, 1, 1};
  std::vector<double> means(3);
  bench.context.sample_weight = 1.F / 4;  // two micro-batches of two samples
  for (const bool first : {true, false}) {
    bench.context.first_pass = first;
    bench.inputs[0] = hashed_values(first ? 1 : 2, bench.inputs[0].size());
    bench.forward();
    for (std::size_t i = 0; i < bench.inputs[0].size(); ++i)
      means[i / 16 % 3] += static_cast<double>(bench.inputs[0][i]) / 64;
  }
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(static_cast<double>(bench.statistics[0][c]), means[c], 1e-6);
}

TEST(BatchNorm, GivesParameterGradientsAlsoWhereTheInputNeedsNone) {
  std::vector<std::vector<float>> gradients[2];
  for (const bool input_gradient : {true, false}) {
    LayerBench bench("{ type = \"batch_norm\" }", {3, 4, 4}, 2, {.input_gradient = input_gradient});
    bench.inputs[0] = hashed_values(1, bench.inputs[0].size());
    bench.output_gradient = hashed_values(2, bench.output_gradient.size());
    bench.parameters[0] = {1, 2, -1};
    bench.forward();
    bench.backward();
    gradients[input_gradient ? 1 : 0] = bench.parameter_gradients;
    EXPECT_TRUE(bench.fences_stand());
  }
  EXPECT_EQ(gradients[0], gradients[1]);
}

TEST(Layers, GiveNoInputGradientThatNobodyWants) {
  for (const char* row :
       {"{ type = \"convolution\", outputs = 4, kernel = 3 }", "{ type = \"fully_connected\", outputs = 4 }",
        "{ type = \"deconvolution\", outputs = 4, kernel = 3 }",
        "{ type = \"locally_connected\", outputs = 4, kernel = 3 }", "{ type = \"crop\", size = 3 }",
        "{ type = \"upsample\", factor = 2 }", "{ type = \"crop\", from = [\"input\", \"input\"] }",
        "{ type = \"max_pool\", kernel = 2 }", "{ type = \"l2_pool\", kernel = 2 }", "{ type = \"relu\" }",
        "{ type = \"batch_norm\" }", "{ type = \"lrn\" }", "{ type = \"dropout\" }",
        "{ type = \"sum\", from = [\"input\", \"input\"] }"}) {
    LayerBench bench(row, {3, 5, 5}, 2, {.input_gradient = false});
    for (const PassSpec& pass : bench.lowered().spec().passes) {
      for (const Operand& operand : pass.writes) EXPECT_NE(operand.role, Role::input_gradient) << row;
    }
  }
}

TEST(Layers, ReadInBackwardOnlyWhatTheyDeclareToNeed) {
  for (const char* row :
       {"{ type = \"convolution\", outputs = 4, kernel = 3 }", "{ type = \"fully_connected\", outputs = 4 }",
        "{ type = \"deconvolution\", outputs = 4, kernel = 3 }",
        "{ type = \"locally_connected\", outputs = 4, kernel = 3 }", "{ type = \"crop\", size = 3 }",
        "{ type = \"upsample\", factor = 2 }", "{ type = \"crop\", from = [\"input\", \"input\"] }",
        "{ type = \"max_pool\", kernel = 2 }", "{ type = \"average_pool\", kernel = 2 }",
        "{ type = \"l2_pool\", kernel = 2 }", "{ type = \"relu\" }", "{ type = \"batch_norm\" }",
        "{ type = \"lrn\" }", "{ type = \"dropout\" }", "{ type = \"sum\", from = [\"input\", \"input\"] }",
        "{ type = \"softmax_loss\" }"}) {
    const Shape shape =
        std::string(row).find("softmax") == std::string::npos ? Shape{16, 5, 5} : Shape{16, 1, 1};
    for (const bool blocked : {false, true}) {
      LayerBench bench(row, shape, 2, {.blocked_input = blocked});
      const BackwardNeeds needs = needs_of(bench.layer().op);
      for (const PassSpec& pass : bench.lowered().spec().passes) {
        if (pass.kind == PassKind::forward) continue;
        for (const Operand& operand : pass.reads) {
          EXPECT_FALSE(operand.role == Role::input && !needs.inputs) << row;
          EXPECT_FALSE(operand.role == Role::output && !needs.output) << row;
        }
      }
    }
  }
}

}  // namespace
}  // namespace convoy
