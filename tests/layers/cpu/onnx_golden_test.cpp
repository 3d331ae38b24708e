#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/layers/cpu/golden_case.h"

// Every layer type that ONNX has with the same meaning against ONNX Runtime, forward;
// tests/golden/make_onnx.py makes the values. A second opinion beside PyTorch's of golden_test.cpp.
namespace convoy {
namespace {

/// What ONNX has no operator for: see make_onnx.py.
const std::set<std::string> kNotInOnnx{"dropout", "hinge", "locally_connected", "sigmoid_cross_entropy",
                                       "squared_error"};

std::vector<std::string> types_in_onnx() {
  std::vector<std::string> types;
  for (const std::string& type : layer_type_names()) {
    if (!kNotInOnnx.contains(type)) types.push_back(type);
  }
  return types;
}

std::vector<GoldenCase> cases_of_onnx(const std::string& type) {
  static const std::vector<SafetensorsFile> file = [] {
    std::vector<SafetensorsFile> one;
    one.push_back(open_golden("onnx"));
    return one;
  }();
  return golden_cases(file, type);
}

class Onnx : public testing::TestWithParam<std::string> {};

TEST_P(Onnx, LayerEqualsOnnxRuntime) {
  std::vector<GoldenCase> cases = cases_of_onnx(GetParam());
  ASSERT_GE(cases.size(), 3U);
  for (GoldenCase& one : cases) one.check({});
}

TEST_P(Onnx, LayerEqualsOnnxRuntimeWhereItOverwritesItsBlockedInput) {
  for (GoldenCase& one : cases_of_onnx(GetParam())) one.check({.in_place = true, .blocked_input = true});
}

INSTANTIATE_TEST_SUITE_P(Layers, Onnx, testing::ValuesIn(types_in_onnx()),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace convoy
