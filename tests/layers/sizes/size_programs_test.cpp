#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "layers/sizes/size_backend.h"
#include "tests/layers/graph/networks.h"
#include "tests/trainer/program/program_simulator.h"

namespace convoy {
namespace {

class SizedPrograms : public testing::TestWithParam<std::tuple<const char*, DType>> {};

/// The Program of a device that is not here is as right as any: every value is there when it is read.
TEST_P(SizedPrograms, HaveNoFaults) {
  const auto& [text, type] = GetParam();
  const Graph graph = parse_network(text, "net.toml");
  const std::unique_ptr<Backend> sizes = make_size_backend({"gpu", {DType::f32, DType::f16, DType::bf16}});
  for (const bool accumulate : {false, true}) {
    Choices choices;
    choices.train_samples = accumulate ? std::vector<std::int64_t>{4, 3} : std::vector<std::int64_t>{8};
    choices.accumulate = accumulate;
    choices.evaluate_samples = 5;
    choices.precision = type;
    choices.reduce = true;
    choices.bucket_bytes = 16 << 10;
    choices.workspace_bytes = 1 << 20;
    const Program program = build_program(graph, choices, *sizes);
    EXPECT_THAT(faults_of(program, graph), testing::IsEmpty());
    EXPECT_EQ(program.gradient_type, type);
    const auto bytes = [&](int tensor) { return program.tensors[static_cast<std::size_t>(tensor)].bytes; };
    EXPECT_EQ(bytes(program.gradients) * 4, bytes(program.weights) * size_of(type));
    for (const Step& step : program.steps) {
      for (const Ref& ref : step.writes) {
        if (ref.tensor == program.gradients) {
          EXPECT_LT(ref.offset, bytes(program.gradients)) << step.name;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, SizedPrograms,
                         testing::Combine(testing::Values(networks::kLeNet, networks::kTangle,
                                                          networks::kFanOut, networks::kHeads,
                                                          networks::kUpAndDown, networks::kAlexNet),
                                          testing::Values(DType::f32, DType::f16, DType::bf16)),
                         [](const auto& one) {
                           const Graph graph = parse_network(std::get<0>(one.param), "net.toml");
                           std::string name =
                               fmt::format("{}_{}", graph.name(), name_of(std::get<1>(one.param)));
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
                           return name;
                         });

TEST(SizedPrograms, NeedNoChangeOfLayoutBetweenLayersInFp32) {
  const Graph graph = parse_network(networks::kAlexNet, "net.toml");
  const std::unique_ptr<Backend> sizes = make_size_backend({"gpu", {DType::f32}});
  Choices choices;
  choices.train_samples = {2};
  choices.evaluate_samples = 2;
  const Program program = build_program(graph, choices, *sizes);
  for (const Step& step : program.steps) EXPECT_NE(step.kind, StepKind::reorder) << step.name;
}

}  // namespace
}  // namespace convoy
