#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "layers/sizes/size_backend.h"
#include "tests/layers/graph/networks.h"
#include "tests/trainer/program/program_simulator.h"

namespace convoy {
namespace {

struct SizedCase {
  std::string name;
  const char* network;
  DType type;
  friend void PrintTo(const SizedCase& one, std::ostream* out) { *out << one.name; }
};

std::vector<SizedCase> sized_cases() {
  std::vector<SizedCase> cases;
  for (const auto& [name, network] :
       {std::pair{"lenet", networks::kLeNet}, std::pair{"tangle", networks::kTangle},
        std::pair{"fan_out", networks::kFanOut}, std::pair{"heads", networks::kHeads},
        std::pair{"up_and_down", networks::kUpAndDown}, std::pair{"alexnet", networks::kAlexNet}}) {
    for (const DType type : {DType::f32, DType::f16, DType::bf16})
      cases.push_back({fmt::format("{}_{}", name, name_of(type)), network, type});
  }
  return cases;
}

class SizedPrograms : public testing::TestWithParam<SizedCase> {};

/// The Program of a device that is not here is as right as any: every value is there when it is read.
TEST_P(SizedPrograms, HaveNoFaults) {
  const DType type = GetParam().type;
  const Graph graph = parse_network(GetParam().network, "net.toml");
  const std::unique_ptr<Backend> sizes = make_size_backend({"gpu", {DType::f32, DType::f16, DType::bf16}});
  for (const bool accumulate : {false, true}) {
    Choices choices;
    choices.train_samples = accumulate ? std::vector<std::int64_t>{4, 3} : std::vector<std::int64_t>{8};
    choices.accumulate = accumulate;
    choices.evaluate_samples = 5;
    choices.precision = type;
    choices.reduce = true;
    choices.shared_statistics = accumulate;
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

INSTANTIATE_TEST_SUITE_P(Networks, SizedPrograms, testing::ValuesIn(sized_cases()),
                         [](const auto& one) { return one.param.name; });

TEST(SizedAlexNet, NeedsNoChangeOfLayoutBetweenLayersInFp32) {
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
