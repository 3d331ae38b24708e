#include <gtest/gtest.h>

#include <cmath>

#include "layers/cpu/convolution_variant.h"
#include "tests/layers/cpu/hashed_bench.h"

// However a convolution is run, it computes the same.
namespace convoy {
namespace {

struct WayCase {
  const char* name;
  const char* row;
  Shape input;
  std::int64_t batch = 3;
};

class Ways : public testing::TestWithParam<std::tuple<WayCase, DType>> {};

std::vector<std::string> way_names() {
  std::vector<std::string> names{"any automatic/direct/automatic", "channels_last gemm/direct/direct",
                                 "channels_last direct/gemm/direct"};
  for (const cpu::ConvolutionVariant& variant : cpu::uniform_variants()) names.push_back(name_of(variant));
  return names;
}

TEST_P(Ways, AllGiveTheSameNumbers) {
  const auto& [one, type] = GetParam();
  const double bound = type == DType::f32 ? 1e-4 : 2e-2;
  for (const bool blocked : {false, true}) {
    BenchSettings settings{.blocked_input = blocked, .type = type};
    LayerBench usual(one.row, one.input, one.batch, settings);
    run_hashed(usual);
    for (const std::string& way : way_names()) {
      settings.way = way;
      LayerBench chosen(one.row, one.input, one.batch, settings);
      run_hashed(chosen);
      const std::string what = way + ": " + chosen.implementations();
      EXPECT_LT(distance(chosen.output, usual.output), bound) << what;
      EXPECT_LT(distance(chosen.input_gradients[0], usual.input_gradients[0]), bound) << what;
      for (std::size_t p = 0; p < usual.parameter_gradients.size(); ++p) {
        EXPECT_LT(distance(chosen.parameter_gradients[p], usual.parameter_gradients[p]), bound) << what;
      }
      EXPECT_TRUE(chosen.fences_stand()) << what;
    }
  }
}

const WayCase kCases[] = {
    {"square", R"({ type = "convolution", outputs = 32, kernel = 3, padding = 1 })", {16, 9, 9}},
    {"winograd", R"({ type = "convolution", outputs = 64, kernel = 3, padding = 1 })", {64, 14, 14}, 16},
    {"pointwise", R"({ type = "convolution", outputs = 48, kernel = 1 })", {32, 7, 7}},
    {"pointwise_strided",
     R"({ type = "convolution", outputs = 24, kernel = 1, stride = [2, 3] })",
     {32, 8, 9}},
    {"image", R"({ type = "convolution", outputs = 24, kernel = 7, stride = 2, padding = 3 })", {3, 23, 23}},
    {"groups", R"({ type = "convolution", outputs = 32, kernel = 3, padding = 1, groups = 2 })", {32, 8, 8}},
    {"odd", R"({ type = "convolution", outputs = 13, kernel = [3, 5], padding = 2 })", {7, 11, 9}},
    {"dilated", R"({ type = "convolution", outputs = 20, kernel = 3, dilation = 2 })", {18, 12, 10}},
    {"strided",
     R"({ type = "convolution", outputs = 33, kernel = 3, stride = 2, bias = false })",
     {17, 9, 8}},
};

INSTANTIATE_TEST_SUITE_P(
    Convolutions, Ways, testing::Combine(testing::ValuesIn(kCases), testing::Values(DType::f32, DType::bf16)),
    [](const auto& test) {
      return std::string(std::get<0>(test.param).name) + "_" + std::string(name_of(std::get<1>(test.param)));
    });

TEST(Way, RunsAsItsNameSays) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") == 0) GTEST_SKIP() << "known for AVX-512 only";
#endif
  const char* row = R"({ type = "convolution", outputs = 64, kernel = 3, padding = 1 })";
  const auto kernels = [&](const char* way) {
    return LayerBench(row, {64, 14, 14}, 16, {.way = way}).implementations();
  };
  EXPECT_EQ(kernels("plain gemm/gemm/gemm"),
            "forward: x64:gemm:jit; backward_weights: x64:gemm:jit; backward_data: x64:gemm:jit");
  EXPECT_NE(kernels("any automatic/direct/direct").find("forward: jit_wino"), std::string::npos);
  EXPECT_EQ(kernels("any direct/direct/direct").find("wino"), std::string::npos);
  EXPECT_NE(kernels("narrow").find("convoy:narrow"), std::string::npos);
  const char* pointwise = R"({ type = "convolution", outputs = 64, kernel = 1, stride = 2 })";
  EXPECT_NE(LayerBench(pointwise, {64, 14, 14}, 16, {.type = DType::bf16, .way = "product"})
                .implementations()
                .find("backward_weights: brgemm"),
            std::string::npos);
}

TEST(Way, ThatIsUnknownIsTheUsualOne) {
  const char* row = R"({ type = "convolution", outputs = 64, kernel = 3, padding = 1 })";
  const std::string usual = LayerBench(row, {64, 14, 14}, 16).implementations();
  for (const char* way : {"upside down", "any", "any direct/direct"})
    EXPECT_EQ(LayerBench(row, {64, 14, 14}, 16, {.way = way}).implementations(), usual) << way;
}

TEST(Way, IsFoundByItsName) {
  for (const cpu::ConvolutionVariant& variant : cpu::uniform_variants())
    EXPECT_EQ(cpu::variant_named(name_of(variant)), variant) << name_of(variant);
}

}  // namespace
}  // namespace convoy
