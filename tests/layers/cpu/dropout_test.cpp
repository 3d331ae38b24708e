#include <gtest/gtest.h>

#include <cmath>

#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

namespace convoy {
namespace {

const Shape kShape{5, 3, 3};

LayerBench make_dropout(const std::string& rate, std::int64_t batch, const BenchSettings& settings = {}) {
  LayerBench bench("{ type = \"dropout\", rate = " + rate + " }", kShape, batch, settings);
  bench.inputs[0].assign(bench.inputs[0].size(), 1.F);
  bench.output_gradient.assign(bench.output_gradient.size(), 1.F);
  bench.context.seed = 11;
  bench.context.iteration = 4;
  return bench;
}

TEST(Dropout, TakesTheSameMaskHoweverTheBatchIsSplit) {
  LayerBench whole = make_dropout("0.5", 7);
  whole.forward();
  std::vector<float> joined;
  std::int64_t first = 0;
  for (const std::int64_t part : {3, 1, 3}) {
    LayerBench piece = make_dropout("0.5", part);
    piece.context.first_sample = first;
    piece.forward();
    joined.insert(joined.end(), piece.output.begin(), piece.output.end());
    first += part;
  }
  EXPECT_EQ(joined, whole.output);
}

TEST(Dropout, TakesTheSameMaskForwardAndBackward) {
  for (const bool in_place : {false, true}) {
    LayerBench bench = make_dropout("0.3", 4, {.in_place = in_place});
    bench.forward();
    bench.backward();
    EXPECT_EQ(bench.output, bench.input_gradients[0]);  // input and gradient are ones
  }
}

TEST(Dropout, TakesTheSameMaskWhateverTheLayoutOfItsInput) {
  LayerBench plain = make_dropout("0.5", 4);
  LayerBench blocked = make_dropout("0.5", 4, {.blocked_input = true});
  plain.forward();
  blocked.forward();
  EXPECT_EQ(plain.output, blocked.output);
}

TEST(Dropout, TakesAnotherMaskInAnotherIterationSampleOrSeed) {
  LayerBench bench = make_dropout("0.5", 4);
  bench.forward();
  const std::vector<float> first = bench.output;
  for (const auto& change : {+[](StepContext& c) { c.seed = 12; }, +[](StepContext& c) { c.iteration = 5; },
                             +[](StepContext& c) { c.first_sample = 1; }}) {
    LayerBench other = make_dropout("0.5", 4);
    change(other.context);
    other.forward();
    EXPECT_NE(other.output, first);
  }
}

TEST(Dropout, DropsItsRateAndScalesTheRest) {
  for (const double rate : {0.1, 0.5, 0.9}) {
    LayerBench bench = make_dropout(std::to_string(rate), 500);
    bench.forward();
    std::size_t dropped = 0;
    for (const float v : bench.output) {
      if (v == 0)
        ++dropped;
      else
        ASSERT_FLOAT_EQ(v, static_cast<float>(1 / (1 - rate)));
    }
    const auto count = static_cast<double>(bench.output.size());
    EXPECT_NEAR(static_cast<double>(dropped) / count, rate, 4 * std::sqrt(rate * (1 - rate) / count));
  }
}

TEST(Dropout, OfRateZeroIsTheIdentity) {
  LayerBench bench = make_dropout("0", 3);
  bench.inputs[0] = hashed_values(1, bench.inputs[0].size());
  bench.forward();
  EXPECT_EQ(bench.output, bench.inputs[0]);
}

}  // namespace
}  // namespace convoy
