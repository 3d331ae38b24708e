#include <gtest/gtest.h>

#include "tests/layers/cpu/layer_bench.h"

namespace convoy {
namespace {

TEST(L2Pool, HasNoGradientWhereItsWindowIsZero) {
  for (const DType type : {DType::f32, DType::bf16}) {
    LayerBench bench("{ type = \"l2_pool\", kernel = 2, stride = 2 }", {1, 2, 4}, 1, {.type = type});
    bench.inputs[0] = {0, 0, 3, 0, 0, 0, 0, -4};
    bench.output_gradient = {1, 10};
    bench.forward();
    EXPECT_EQ(bench.output, (std::vector<float>{0, 5}));
    bench.backward();
    EXPECT_EQ(bench.input_gradients[0], (std::vector<float>{0, 0, 6, 0, 0, 0, 0, -8}));
  }
}

}  // namespace
}  // namespace convoy
