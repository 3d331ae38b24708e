#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <sstream>

#include "layers/cpu/cpu_backend.h"
#include "tests/configs/small_network.h"
#include "tests/configs/zoo_golden.h"
#include "tests/golden/hashed_values.h"
#include "tests/trainer/program/program_runner.h"
#include "trainer/storage/safetensors.h"

// AlexNet, GoogLeNet and ResNet-18 in evaluation, at a small size of image, against ONNX Runtime:
// tests/golden/onnx_networks.py.
namespace convoy::test {
namespace {

/// Of one network: its size, the factors of its first values, the logarithms of the probabilities.
struct OnnxNetwork {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t batch = 0;
  std::map<std::string, float> factors;
  std::vector<float> scores;
};

OnnxNetwork onnx_network(const std::string& name) {
  const SafetensorsFile file = SafetensorsFile::open(CONVOY_SOURCE "/tests/golden/onnx.safetensors");
  OnnxNetwork network;
  std::istringstream(file.metadata().at(name + ".trial")) >> network.height >> network.width >> network.batch;
  std::istringstream factors(file.metadata().at(name + ".factors"));
  std::string parameter;
  for (float factor = 1; factors >> parameter >> factor;) network.factors[parameter] = factor;
  const TensorView* scores = file.find(name + ".scores");
  if (scores == nullptr) throw std::runtime_error("make_onnx.py does not know " + name);
  network.scores.resize(scores->data.size() / sizeof(float));
  std::memcpy(network.scores.data(), scores->data.data(), scores->data.size());
  return network;
}

std::vector<std::uint8_t> hashed_pixels(std::int64_t count) {
  std::vector<std::uint8_t> pixels;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(count); ++i)
    pixels.push_back(static_cast<std::uint8_t>(mix_bits(i) >> 24));
  return pixels;
}

/// The probabilities that the network gives.
std::vector<float> evaluate(const std::string& name, const OnnxNetwork& golden) {
  const Graph graph = parse_network(small_network_text(name, golden.height, golden.width), name);
  Choices choices;
  choices.evaluate_samples = golden.batch;
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  const Program program = build_program(graph, choices, *backend);
  ProgramRunner runner(program, graph, *backend);
  for (const ParameterSlot& slot : program.parameters) {
    const Layer& layer = graph.layers()[static_cast<std::size_t>(slot.layer)];
    const ParameterSpec& spec = layer.parameters[static_cast<std::size_t>(slot.parameter)];
    GoldenRow row;
    row.name = layer.name + "." + spec.name;
    if (golden.factors.contains(row.name)) row.factor = golden.factors.at(row.name);
    runner.set_parameter(slot, first_values(spec, row));
  }
  runner.set_states(0.25, 0.75);
  const Segment segment = *program.find(SegmentKind::evaluate, golden.batch);
  runner.load(segment, hashed_pixels(golden.batch * graph.input().elements()),
              std::vector<std::int32_t>(static_cast<std::size_t>(golden.batch)));
  runner.run(segment, {});
  EXPECT_TRUE(runner.fences_stand());
  return runner.output(segment);
}

class OnnxNetworks : public testing::TestWithParam<std::string> {};

TEST_P(OnnxNetworks, EvaluateAsInOnnxRuntime) {
  set_cpu_threads(1);
  const OnnxNetwork golden = onnx_network(GetParam());
  const std::vector<float> probabilities = evaluate(GetParam(), golden);
  ASSERT_EQ(probabilities.size(), golden.scores.size());
  double error = 0;
  double norm = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const auto expected = static_cast<double>(golden.scores[i]);
    error += std::pow(std::log(static_cast<double>(probabilities[i])) - expected, 2);
    norm += expected * expected;
  }
  const double relative = std::sqrt(error / norm);
  fmt::print("{}: {:.1e}\n", GetParam(), relative);
  EXPECT_LE(relative, 1e-5);
  EXPECT_FALSE(std::isnan(relative));
}

INSTANTIATE_TEST_SUITE_P(Configs, OnnxNetworks, testing::Values("alexnet", "googlenet", "resnet18"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace convoy::test
