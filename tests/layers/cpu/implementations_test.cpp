#include <gtest/gtest.h>

#include "tests/layers/cpu/layer_bench.h"

namespace convoy {
namespace {

struct Place {
  const char* row;
  Shape input;
  bool blocked = true;  ///< the layer above is a convolution
};

// oneDNN falls back to loops without vectors ("ref") in silence; for what known networks are made of it must
// not.
TEST(Implementations, OfKnownNetworksAreNotReferenceCode) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") == 0) GTEST_SKIP() << "the fast kernels are known for AVX-512 only";
#endif
  const Place places[] = {
      {"{ type = \"convolution\", outputs = 20, kernel = 5 }", {1, 28, 28}, false},
      {"{ type = \"convolution\", outputs = 50, kernel = 5 }", {20, 12, 12}},
      {"{ type = \"max_pool\", kernel = 2, stride = 2, rounding = \"up\" }", {20, 24, 24}},
      {"{ type = \"fully_connected\", outputs = 500 }", {50, 4, 4}},
      {"{ type = \"fully_connected\", outputs = 10 }", {500, 1, 1}, false},
      {"{ type = \"relu\" }", {500, 1, 1}, false},
      {"{ type = \"convolution\", outputs = 96, kernel = 11, stride = 4 }", {3, 227, 227}, false},
      {"{ type = \"lrn\", size = 5 }", {96, 55, 55}},
      {"{ type = \"lrn\", size = 5 }", {256, 27, 27}},
      {"{ type = \"lrn\", size = 5 }", {20, 27, 27}, false},
      {"{ type = \"lrn\", size = 3, beta = 0.5 }", {64, 27, 27}},
      {"{ type = \"lrn\", size = 3, region = \"within\" }", {32, 32, 32}},
      {"{ type = \"relu\", slope = 0.1 }", {17, 13, 13}},
      {"{ type = \"relu\", slope = -0.1 }", {17, 13, 13}},
      {"{ type = \"elu\" }", {17, 13, 13}},
      {"{ type = \"sigmoid\" }", {17, 13, 13}},
      {"{ type = \"tanh\" }", {64, 13, 13}},
      {"{ type = \"max_pool\", kernel = 3, stride = 2 }", {96, 55, 55}},
      {"{ type = \"convolution\", outputs = 256, kernel = 5, padding = 2, groups = 2 }", {96, 27, 27}},
      {"{ type = \"convolution\", outputs = 384, kernel = 3, padding = 1 }", {256, 13, 13}},
      {"{ type = \"fully_connected\", outputs = 4096 }", {256, 6, 6}},
      {"{ type = \"batch_norm\" }", {32, 28, 28}},
      {"{ type = \"batch_norm\" }", {20, 28, 28}},
      {"{ type = \"average_pool\", global = true }", {64, 7, 7}},
      {"{ type = \"softmax\" }", {64, 7, 7}},
      {"{ type = \"softmax\" }", {21, 9, 9}},
      {"{ type = \"softmax\" }", {3, 9, 9}, false},
      {"{ type = \"softmax\" }", {1000, 1, 1}, false},
      {"{ type = \"max_pool\", kernel = 3, stride = 2, padding = 1 }", {64, 112, 112}},
      {"{ type = \"convolution\", outputs = 64, kernel = 3, padding = 1, stride = 2 }", {32, 28, 28}},
      {"{ type = \"convolution\", outputs = 32, kernel = 3, padding = 1, groups = 32 }", {32, 14, 14}},
      {"{ type = \"deconvolution\", outputs = 64, kernel = 2, stride = 2 }", {128, 14, 14}},
      {"{ type = \"deconvolution\", outputs = 64, kernel = 3, padding = 1 }", {64, 14, 14}},
      {"{ type = \"deconvolution\", outputs = 32, kernel = 4, stride = 2, padding = 1, groups = 32 }",
       {32, 14, 14}},
      {"{ type = \"deconvolution\", outputs = 21, kernel = 4, stride = 2, padding = 1 }", {21, 14, 14}},
      {"{ type = \"deconvolution\", outputs = 3, kernel = 4, stride = 2, padding = 1 }", {64, 16, 16}},
      {"{ type = \"upsample\", factor = 2 }", {64, 14, 14}},
      {"{ type = \"upsample\", factor = 2 }", {21, 14, 14}},
      {"{ type = \"upsample\", factor = 2 }", {3, 14, 14}, false},
  };
  for (const Place& place : places) {
    for (const DType type : {DType::f32, DType::bf16}) {
      LayerBench bench(place.row, place.input, 4, {.blocked_input = place.blocked, .type = type});
      EXPECT_EQ(bench.implementations().find("ref"), std::string::npos)
          << place.row << " in " << name_of(type) << " gets " << bench.implementations();
    }
  }
}

}  // namespace
}  // namespace convoy
