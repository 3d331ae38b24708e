#include <gtest/gtest.h>

#include <cmath>

#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

// With one rank, statistics that all ranks share are those of the rank, so the layer must give what oneDNN
// gives.
namespace convoy {
namespace {

struct Case {
  Shape input;
  std::int64_t batch;
  bool blocked;
  bool in_place;
  DType type;
};

void run(LayerBench& bench) {
  const std::size_t channels = bench.parameters[0].size();
  bench.inputs[0] = hashed_values(1, bench.inputs[0].size());
  for (float& value : bench.inputs[0]) value = 3 * value + 5;  // a mean far from zero
  bench.parameters = {hashed_values(2, channels), hashed_values(3, channels)};
  bench.output_gradient = hashed_values(4, bench.output.size());
  bench.forward();
  bench.backward();
}

double distance(const std::vector<float>& got, const std::vector<float>& want) {
  EXPECT_EQ(got.size(), want.size());
  double squares = 0;
  double norm = 1e-12;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - static_cast<double>(want[i]);
    squares += difference * difference;
    norm += static_cast<double>(want[i]) * static_cast<double>(want[i]);
  }
  return std::sqrt(squares / norm);
}

class SharedBatchNorm : public ::testing::TestWithParam<Case> {};

TEST_P(SharedBatchNorm, OfOneRankIsBatchNorm) {
  const Case& c = GetParam();
  BenchSettings settings{.in_place = c.in_place, .blocked_input = c.blocked, .type = c.type};
  LayerBench own("{ type = \"batch_norm\" }", c.input, c.batch, settings);
  settings.shared_statistics = true;
  LayerBench shared("{ type = \"batch_norm\" }", c.input, c.batch, settings);
  run(own);
  run(shared);
  const double tolerance = c.type == DType::f32 ? 1e-5 : 1e-2;
  EXPECT_LT(distance(shared.output, own.output), tolerance);
  EXPECT_LT(distance(shared.input_gradients[0], own.input_gradients[0]), tolerance);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_LT(distance(shared.parameter_gradients[i], own.parameter_gradients[i]), tolerance) << i;
    EXPECT_LT(distance(shared.statistics[i], own.statistics[i]), tolerance) << i;
  }
  EXPECT_TRUE(shared.fences_stand());
}

INSTANTIATE_TEST_SUITE_P(Shapes, SharedBatchNorm,
                         ::testing::Values(Case{{3, 5, 7}, 2, false, false, DType::f32},
                                           Case{{16, 4, 4}, 3, false, true, DType::f32},
                                           Case{{16, 4, 4}, 3, true, true, DType::f32},
                                           Case{{20, 9, 3}, 2, true, false, DType::f32},
                                           Case{{40, 1, 1}, 8, false, true, DType::f32},
                                           Case{{1, 33, 31}, 4, false, false, DType::f32},
                                           Case{{64, 40, 40}, 2, true, true, DType::f32},
                                           Case{{3, 5, 7}, 4, false, true, DType::bf16},
                                           Case{{32, 6, 6}, 4, true, false, DType::bf16}));

TEST(SharedBatchNorm, TellsVarianceFromALargeMean) {
  LayerBench bench("{ type = \"batch_norm\" }", {1, 32, 32}, 4, {.shared_statistics = true});
  for (std::size_t i = 0; i < bench.inputs[0].size(); ++i) bench.inputs[0][i] = i % 2 == 0 ? 1000.F : 1001.F;
  bench.parameters = {{1}, {0}};
  bench.forward();
  EXPECT_NEAR(bench.output[0], -1, 1e-4);
  EXPECT_NEAR(bench.output[1], 1, 1e-4);
}

}  // namespace
}  // namespace convoy
