#include <gtest/gtest.h>

#include "layers/cpu/cpu_backend.h"
#include "tests/golden/hashed_values.h"
#include "tests/layers/cpu/layer_bench.h"

namespace convoy {
namespace {

/// Output and gradients with so many threads.
std::vector<std::vector<float>> results(const std::string& row, const BenchSettings& settings, int threads) {
  set_cpu_threads(threads);
  LayerBench bench(row, {20, 7, 6}, 5, settings);
  bench.inputs[0] = hashed_values(1, bench.inputs[0].size());
  for (std::vector<float>& values : bench.parameters) values = hashed_values(10, values.size());
  bench.output_gradient = hashed_values(30, bench.output_gradient.size());
  bench.forward();
  bench.backward();
  std::vector<std::vector<float>> all{bench.output, bench.input_gradients[0]};
  // oneDNN adds the weight gradients of convolutions up by threads; only what our own loops sum is compared.
  const bool own = bench.implementations().find("convoy") != std::string::npos;
  for (std::size_t p = own ? 0 : 1; p < bench.parameter_gradients.size(); ++p)
    all.push_back(bench.parameter_gradients[p]);
  set_cpu_threads(2);
  return all;
}

TEST(OwnKernels, GiveTheSameBitsWithAnyNumberOfThreads) {
  for (const char* row : {"{ type = \"max_pool\", kernel = 3, stride = 2 }",
                          "{ type = \"l2_pool\", kernel = 3, stride = 2, padding = 1 }",
                          "{ type = \"deconvolution\", outputs = 9, kernel = 3, stride = 2 }",
                          "{ type = \"locally_connected\", outputs = 5, kernel = 3, padding = 1 }",
                          "{ type = \"crop\", size = [4, 3], centered = true }"}) {
    for (const DType type : {DType::f32, DType::bf16}) {
      for (const bool blocked : {false, true}) {
        const BenchSettings settings{.blocked_input = blocked, .type = type};
        const auto one = results(row, settings, 1);
        EXPECT_EQ(results(row, settings, 3), one) << row;
        EXPECT_EQ(results(row, settings, 8), one) << row;
      }
    }
  }
}

}  // namespace
}  // namespace convoy
