#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
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

TEST(Hinge, IsOfEachClassAgainstAllOthers) {
  for (const int norm : {1, 2}) {
    LayerBench bench("{ type = \"hinge\", norm = " + std::to_string(norm) + " }", {4, 1, 1}, 1);
    bench.inputs[0] = {2, -3, 0.5F, -0.5F};
    bench.labels = {2};
    bench.forward();
    bench.backward();
    EXPECT_EQ(bench.output, bench.inputs[0]);
    EXPECT_FLOAT_EQ(static_cast<float>(bench.metrics.loss), norm == 1 ? 3 + 0.5F + 0.5F : 9 + 0.25F + 0.25F);
    const std::vector<float> slopes{1, 0, -1, 1};
    const std::vector<float> slopes_of_squares{6, 0, -1, 1};
    EXPECT_EQ(bench.input_gradients[0], norm == 1 ? slopes : slopes_of_squares);
  }
}

TEST(Losses, StayFiniteForLargeScores) {
  for (const char* type : {"sigmoid_cross_entropy", "hinge", "squared_error"}) {
    LayerBench bench("{ type = \"" + std::string(type) + "\" }", {3, 1, 1}, 1);
    bench.inputs[0] = {1e4F, -1e4F, 300};
    bench.forward();
    bench.backward();
    EXPECT_TRUE(std::isfinite(bench.metrics.loss)) << type;
    for (const float v : bench.input_gradients[0]) EXPECT_TRUE(std::isfinite(v)) << type;
  }
}

TEST(Losses, AreNoNumberWhereTheScoresAreNone) {
  for (const char* type : {"softmax_loss", "sigmoid_cross_entropy", "hinge", "squared_error"}) {
    LayerBench bench("{ type = \"" + std::string(type) + "\" }", {3, 1, 1}, 1);
    bench.inputs[0] = {1, std::numeric_limits<float>::quiet_NaN(), 2};
    bench.forward();
    EXPECT_TRUE(std::isnan(bench.metrics.loss)) << type;
  }
}

TEST(Losses, GiveTheirOwnValueInEvaluationWhateverTheirWeight) {
  for (const bool training : {true, false}) {
    LayerBench bench("{ type = \"squared_error\", weight = 3 }", {2, 1, 1}, 1, {.training = training});
    bench.inputs[0] = {2, 2};
    bench.forward();
    EXPECT_EQ(bench.metrics.loss, training ? 7.5 : 2.5);
  }
}

// Each position as a sample of its own with the same label: the sample's loss is their mean.
TEST(LossesOfMaps, AreMeansOverPositions) {
  constexpr std::size_t kClasses = 5;
  constexpr std::size_t kPositions = 6;
  for (const char* type : {"softmax_loss", "sigmoid_cross_entropy", "hinge", "squared_error"}) {
    const std::string row = "{ type = \"" + std::string(type) + "\", map = true, weight = 2 }";
    LayerBench map(row, {kClasses, 2, 3}, 2);
    LayerBench rows(row, {kClasses, 1, 1}, 2 * kPositions);
    map.inputs[0] = hashed_values(1, map.inputs[0].size());
    map.labels = {1, 4};
    map.context.sample_weight = 0.5F;
    rows.context.sample_weight = 0.5F;
    const auto at = [](std::size_t n, std::size_t p, std::size_t c) {
      return (n * kClasses + c) * kPositions + p;
    };
    for (std::size_t n = 0; n < 2; ++n) {
      for (std::size_t p = 0; p < kPositions; ++p) {
        rows.labels[n * kPositions + p] = map.labels[n];
        for (std::size_t c = 0; c < kClasses; ++c)
          rows.inputs[0][(n * kPositions + p) * kClasses + c] = map.inputs[0][at(n, p, c)];
      }
    }
    for (LayerBench* bench : {&map, &rows}) {
      bench->forward();
      bench->backward();
    }
    EXPECT_NEAR(map.metrics.loss, rows.metrics.loss / kPositions, 1e-5) << type;
    EXPECT_EQ(map.metrics.samples, 2);
    for (std::size_t i = 0; i < rows.output.size(); ++i) {
      const std::size_t place = at(i / kClasses / kPositions, i / kClasses % kPositions, i % kClasses);
      EXPECT_FLOAT_EQ(map.output[place], rows.output[i]) << type;
      EXPECT_FLOAT_EQ(map.input_gradients[0][place] * kPositions, rows.input_gradients[0][i]) << type;
    }
  }
}

// The scale is a power of two: gradients are that of no scale, to the bit.
TEST(ScaledLoss, MultipliesTheGradientAlone) {
  for (const char* type : {"softmax_loss", "sigmoid_cross_entropy", "hinge", "squared_error"}) {
    for (const bool second_labels : {false, true}) {
      const std::string row = fmt::format("{{ type = \"{}\", weight = 2 }}", type);
      LayerBench scaled(row, {7, 1, 1}, 4, {.second_labels = second_labels, .loss_scale = 1024});
      LayerBench plain(row, {7, 1, 1}, 4, {.second_labels = second_labels});
      for (LayerBench* bench : {&scaled, &plain}) {
        bench->inputs[0] = hashed_values(1, bench->inputs[0].size());
        bench->labels = {0, 1, 5, 3};
        if (second_labels) bench->second_labels = {{2, 0.3F}, {1, 0.F}, {5, 0.5F}, {6, 0.125F}};
        bench->forward();
        bench->backward();
      }
      EXPECT_EQ(scaled.metrics.loss, plain.metrics.loss) << type;
      for (std::size_t i = 0; i < plain.input_gradients[0].size(); ++i)
        EXPECT_EQ(scaled.input_gradients[0][i], 1024 * plain.input_gradients[0][i]) << type;
      EXPECT_TRUE(scaled.fences_stand());
    }
  }
}

// (1 - share) × the loss of one label + share × that of the other, and gradients likewise, of every loss.
TEST(MixedLabels, LossesAndGradientsAreTheirWeightedSum) {
  constexpr std::size_t kClasses = 7;
  constexpr std::size_t kBatch = 4;
  const std::vector<SecondLabel> second{{2, 0.3F}, {1, 0.F}, {5, 0.5F}, {6, 0.125F}};
  for (const char* options : {"type = \"softmax_loss\"", "type = \"softmax_loss\", label_smoothing = 0.2",
                              "type = \"sigmoid_cross_entropy\"", "type = \"hinge\"",
                              "type = \"hinge\", norm = 2", "type = \"squared_error\""}) {
    for (const Shape shape : {Shape{kClasses, 1, 1}, Shape{kClasses, 2, 3}}) {
      const std::string row = fmt::format("{{ {}, map = true, weight = 2 }}", options);
      LayerBench mixed(row, shape, kBatch, {.second_labels = true});
      LayerBench own(row, shape, kBatch);
      LayerBench other(row, shape, kBatch);
      mixed.second_labels = second;
      mixed.labels = own.labels = {0, 1, 5, 3};
      for (std::size_t n = 0; n < kBatch; ++n) other.labels[n] = second[n].label;
      double loss = 0;
      for (LayerBench* bench : {&mixed, &own, &other}) {
        bench->inputs[0] = hashed_values(1, bench->inputs[0].size());
        bench->forward();
        bench->backward();
      }
      // A sample alone at a time, for its own loss.
      for (std::size_t n = 0; n < kBatch; ++n) {
        const std::size_t each = own.inputs[0].size() / kBatch;
        const auto alone = [&](std::int32_t label) {
          LayerBench one(row, shape, 1);
          one.inputs[0].assign(own.inputs[0].begin() + static_cast<std::ptrdiff_t>(n * each),
                               own.inputs[0].begin() + static_cast<std::ptrdiff_t>((n + 1) * each));
          one.labels = {label};
          one.forward();
          return one.metrics.loss;
        };
        loss += (1 - second[n].share) * alone(own.labels[n]) + second[n].share * alone(second[n].label);
        for (std::size_t i = n * each; i < (n + 1) * each; ++i) {
          const float expected = (1 - second[n].share) * own.input_gradients[0][i] +
                                 second[n].share * other.input_gradients[0][i];
          EXPECT_NEAR(mixed.input_gradients[0][i], expected, 1e-6) << options;
        }
      }
      EXPECT_NEAR(mixed.metrics.loss, loss, 1e-5 * std::abs(loss)) << options;
      EXPECT_EQ(mixed.output, own.output) << options;
      EXPECT_EQ(mixed.metrics.top1, own.metrics.top1) << options;
      EXPECT_TRUE(mixed.fences_stand());
    }
  }
}

// Two positions are sure of class 0 by a little, the third of class 1 by far.
TEST(LossesOfMaps, RankByTheMeanOfTheProbabilities) {
  LayerBench bench("{ type = \"softmax_loss\", map = true }", {2, 1, 3}, 1);
  bench.inputs[0] = {0.1F, 0.1F, 0, 0, 0, 9};
  bench.labels = {1};
  bench.forward();
  EXPECT_EQ(bench.metrics.top1, 1);
  bench.labels = {0};
  bench.forward();
  EXPECT_EQ(bench.metrics.top1, 0);
  bench.inputs[0][5] = std::numeric_limits<float>::quiet_NaN();
  bench.forward();
  EXPECT_EQ(bench.metrics.top1, 0);
  EXPECT_TRUE(std::isnan(bench.metrics.loss));
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

/// Layers of images, one a type and option that has a way of its own.
constexpr const char* kLayersOfImages[] = {
    "{ type = \"convolution\", outputs = 4, kernel = 3 }",
    "{ type = \"deconvolution\", outputs = 4, kernel = 3 }",
    "{ type = \"locally_connected\", outputs = 4, kernel = 3 }",
    "{ type = \"fully_connected\", outputs = 4 }",
    "{ type = \"max_pool\", kernel = 2 }",
    "{ type = \"average_pool\", kernel = 2 }",
    "{ type = \"l2_pool\", kernel = 2 }",
    "{ type = \"crop\", size = 3 }",
    "{ type = \"crop\", from = [\"input\", \"input\"] }",
    "{ type = \"upsample\", factor = 2 }",
    "{ type = \"relu\" }",
    "{ type = \"relu\", slope = -1 }",
    "{ type = \"tanh\" }",
    "{ type = \"prelu\" }",
    "{ type = \"lrn\" }",
    "{ type = \"lrn\", region = \"within\" }",
    "{ type = \"batch_norm\" }",
    "{ type = \"scale\" }",
    "{ type = \"dropout\" }",
    "{ type = \"sum\", from = [\"input\", \"input\"] }",
    "{ type = \"product\", from = [\"input\", \"input\"] }",
    "{ type = \"maximum\", from = [\"input\", \"input\"] }",
    "{ type = \"concat\", from = [\"input\", \"input\"] }",
    "{ type = \"slice\", count = 2 }",
    "{ type = \"flatten\" }",
    "{ type = \"softmax\" }",
};

TEST(Layers, GiveNoInputGradientThatNobodyWants) {
  for (const char* row : kLayersOfImages) {
    LayerBench bench(row, {3, 5, 5}, 2, {.input_gradient = false});
    for (const PassSpec& pass : bench.lowered().spec().passes) {
      for (const Operand& operand : pass.writes) EXPECT_NE(operand.role, Role::input_gradient) << row;
    }
  }
}

void expect_reads_that_are_declared(const char* row, Shape shape) {
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

TEST(Layers, ReadInBackwardOnlyWhatTheyDeclareToNeed) {
  for (const char* row : kLayersOfImages) expect_reads_that_are_declared(row, {16, 5, 5});
  expect_reads_that_are_declared("{ type = \"softmax_loss\" }", {16, 1, 1});
  expect_reads_that_are_declared("{ type = \"softmax_loss\", map = true }", {16, 3, 2});
}

}  // namespace
}  // namespace convoy
