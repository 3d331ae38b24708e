#include <gtest/gtest.h>

#include <cmath>

#include "layers/core/bfloat16.h"
#include "tests/layers/cpu/golden_case.h"

// Every layer against PyTorch in double precision.
namespace convoy {
namespace {

bool supports(DType type) { return make_bench_device().backend->supports(type); }

const std::vector<SafetensorsFile>& golden_files() {
  static const std::vector<SafetensorsFile> files = [] {
    std::vector<SafetensorsFile> all;
    for (const char* name : {"layers", "elementwise", "channels", "losses", "networks", "spatial"}) {
      all.push_back(open_golden(name));
    }
    return all;
  }();
  return files;
}

std::vector<GoldenCase> cases_of(const std::string& type) { return golden_cases(golden_files(), type); }

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, LayerEqualsPyTorch) {
  std::vector<GoldenCase> cases = cases_of(GetParam());
  ASSERT_GE(cases.size(), 3U);
  for (GoldenCase& one : cases) one.check({});
}

TEST_P(Golden, LayerEqualsPyTorchWhereItOverwritesItsInput) {
  for (GoldenCase& one : cases_of(GetParam())) one.check({.in_place = true});
}

TEST_P(Golden, LayerEqualsPyTorchWhenItsInputComesBlocked) {
  for (GoldenCase& one : cases_of(GetParam())) one.check({.blocked_input = true});
}

class GoldenInHalfPrecision : public Golden {
 protected:
  void check_in_half_precision(BenchSettings settings) {
    if (!supports(DType::bf16) && !supports(DType::f16)) GTEST_SKIP() << "no half type here";
    for (const DType type : {DType::bf16, DType::f16}) {
      if (!supports(type)) continue;
      settings.type = type;
      for (GoldenCase& one : cases_of(GetParam())) one.check(settings);
    }
  }
};

TEST_P(GoldenInHalfPrecision, LayerEqualsPyTorch) { check_in_half_precision({}); }

TEST_P(GoldenInHalfPrecision, LayerEqualsPyTorchWhenItsInputComesBlocked) {
  check_in_half_precision({.blocked_input = true});
}

TEST_P(GoldenInHalfPrecision, LayerEqualsPyTorchWhereItOverwritesItsBlockedInput) {
  check_in_half_precision({.in_place = true, .blocked_input = true});
}

INSTANTIATE_TEST_SUITE_P(Layers, GoldenInHalfPrecision, testing::ValuesIn(layer_type_names()),
                         [](const auto& parameter) { return parameter.param; });

INSTANTIATE_TEST_SUITE_P(Layers, Golden, testing::ValuesIn(layer_type_names()),
                         [](const auto& parameter) { return parameter.param; });

// Where two values of a window are equal once rounded, the first of them is the maximum in either type.
TEST(MaxPool, InBf16EqualsFp32OfRoundedValues) {
  if (!supports(DType::bf16)) GTEST_SKIP() << "no bf16 here";
  for (const GoldenCase& one : cases_of("max_pool")) {
    for (const bool blocked : {false, true}) {
      SCOPED_TRACE(one.text());
      LayerBench bf16 = one.bench({.blocked_input = blocked, .type = DType::bf16});
      LayerBench fp32 = one.bench({.blocked_input = blocked});
      SCOPED_TRACE(bf16.implementations());
      for (LayerBench* bench : {&bf16, &fp32}) {
        one.fill(*bench);
        for (std::vector<float>* values : {&bench->inputs[0], &bench->output_gradient}) {
          for (float& v : *values) v = BFloat16(v);
        }
        bench->forward();
        bench->backward();
      }
      EXPECT_EQ(bf16.output, fp32.output);
      // Our own kernels round a sum once; oneDNN's round it after each window.
      const float partial = bf16.implementations().find("convoy") == std::string::npos ? 4 * 0x1p-8F : 1e-6F;
      for (std::size_t i = 0; i < fp32.input_gradients[0].size(); ++i) {
        ASSERT_NEAR(bf16.input_gradients[0][i], fp32.input_gradients[0][i],
                    std::abs(fp32.input_gradients[0][i]) * 0x1p-8F + partial);
      }
      EXPECT_TRUE(bf16.fences_stand());
    }
  }
}

}  // namespace
}  // namespace convoy
