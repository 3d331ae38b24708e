#include <gtest/gtest.h>

#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

// A layer that applies the ReLU behind it gives the same bits as the two apart.
namespace convoy {
namespace {

struct FusionCase {
  const char* name;
  const char* row;
  Shape input;
};

class Fusion : public testing::TestWithParam<std::tuple<FusionCase, DType>> {};

void fill(LayerBench& bench) {
  std::uint32_t seed = 1;
  for (auto& values : bench.inputs) values = hashed_values(seed++, values.size());
  for (auto& values : bench.parameters) values = hashed_values(seed++, values.size());
  for (auto& values : bench.states) values = std::vector<float>(values.size(), 1.F);
  bench.output_gradient = hashed_values(seed, bench.output_gradient.size());
}

TEST_P(Fusion, GivesTheSameBits) {
  const auto& [one, type] = GetParam();
  for (const bool training : {true, false}) {
    LayerBench apart(one.row, one.input, 3, {.training = training, .type = type});
    LayerBench fused(one.row, one.input, 3, {.training = training, .relu_follows = true, .type = type});
    const ReluShare share = fused.lowered().spec().relu;
    ASSERT_NE(share, ReluShare::nothing);
    fill(apart);
    fill(fused);
    apart.forward();
    fused.forward();
    std::vector<float> positive = apart.output;
    for (float& x : positive) x = x > 0 ? x : 0;
    EXPECT_EQ(fused.output, positive);
    if (!training) continue;
    if (share == ReluShare::all) {
      for (std::size_t i = 0; i < positive.size(); ++i) {
        if (positive[i] == 0) apart.output_gradient[i] = 0;
      }
    }
    apart.backward();
    fused.backward();
    EXPECT_EQ(fused.input_gradients, apart.input_gradients);
    EXPECT_EQ(fused.parameter_gradients, apart.parameter_gradients);
    EXPECT_TRUE(fused.fences_stand());
  }
}

const FusionCase kFusions[] = {
    {"blocked", R"({ type = "convolution", outputs = 16, kernel = 3, padding = 1 })", {16, 6, 7}},
    {"winograd", R"({ type = "convolution", outputs = 64, kernel = 3, padding = 1 })", {64, 8, 8}},
    {"narrow", R"({ type = "convolution", outputs = 5, kernel = 3, stride = 2, padding = 1 })", {3, 9, 9}},
    {"connected", R"({ type = "fully_connected", outputs = 37 })", {5, 4, 4}},
    {"batch_norm", R"({ type = "batch_norm" })", {32, 5, 5}},
    {"odd_batch_norm", R"({ type = "batch_norm" })", {7, 5, 3}},
    {"sum", R"({ type = "sum", from = ["input", "input"] })", {9, 5, 5}},
};

INSTANTIATE_TEST_SUITE_P(
    Layers, Fusion, testing::Combine(testing::ValuesIn(kFusions), testing::Values(DType::f32, DType::bf16)),
    [](const auto& test) {
      return std::string(std::get<0>(test.param).name) + "_" + std::string(name_of(std::get<1>(test.param)));
    });

}  // namespace
}  // namespace convoy
