#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "layers/cpu/cpu_backend.h"
#include "tests/golden/hashed_values.h"
#include "tests/layers/graph/networks.h"
#include "tests/trainer/program/program_runner.h"
#include "trainer/planner/arena_layout.h"
#include "trainer/planner/recompute_sets.h"
#include "trainer/storage/safetensors.h"

namespace convoy {
namespace {

/// Everything that a few iterations leave behind.
struct Result {
  std::vector<std::vector<float>> gradients, weights, states;
  std::vector<double> losses;
  std::vector<float> probabilities;
  double evaluation_loss = 0;
};

/// A network with hashed weights (series 100 + 10 · layer + parameter) and pixels, as make_network.py has
/// them.
class Trial {
 public:
  Trial(const char* network, const Choices& choices)
      : graph_(parse_network(network, "net.toml")), program_(build_program(graph_, choices, *backend_)) {}

  const Program& program() const { return program_; }
  const Graph& graph() const { return graph_; }

  std::int64_t arena_bytes() const { return layout().bytes; }

  /// Runs `iterations` of the given micro-batches, then an evaluation of the first samples where the Program
  /// has one.
  Result run(const std::vector<std::int64_t>& micro_batches, int iterations, bool in_arena) {
    const ArenaLayout layout = this->layout();
    ProgramRunner runner = in_arena ? ProgramRunner(program_, graph_, *backend_, layout.offsets, layout.bytes)
                                    : ProgramRunner(program_, graph_, *backend_);
    for (const ParameterSlot& slot : program_.parameters) runner.set_parameter(slot, first_values(slot));
    runner.set_states(0, 1);
    Result result;
    for (int i = 0; i < iterations; ++i) iterate(runner, micro_batches, i, result);
    for (const ParameterSlot& slot : program_.parameters) {
      if (program_.gradients >= 0) result.gradients.push_back(runner.gradient(slot));
      result.weights.push_back(runner.weight(slot));
    }
    for (const StateSlot& slot : program_.states) result.states.push_back(runner.state(slot));
    evaluate(runner, result);
    EXPECT_TRUE(runner.fences_stand()) << "a step wrote outside of its tensor";
    return result;
  }

 private:
  ArenaLayout layout() const {
    std::vector<Block> blocks;
    for (const Tensor& tensor : program_.tensors) blocks.push_back({tensor.first, tensor.last, tensor.bytes});
    return lay_out(blocks, program_.alignment);
  }

  std::vector<float> first_values(const ParameterSlot& slot) const {
    const ParameterSpec& spec = graph_.layers()[static_cast<std::size_t>(slot.layer)]
                                    .parameters[static_cast<std::size_t>(slot.parameter)];
    std::vector<float> values =
        hashed_values(static_cast<std::uint32_t>(100 + 10 * slot.layer + slot.parameter),
                      static_cast<std::size_t>(spec.elements()));
    const float scale = spec.kind == ParameterKind::weight
                            ? static_cast<float>(std::sqrt(6.0 / static_cast<double>(spec.fan_in)))
                            : 0.25F;
    for (float& v : values) v = v * scale + (spec.name == "scale" ? 1.F : 0.F);
    return values;
  }

  void load(ProgramRunner& runner, const Segment& segment, std::int64_t first) const {
    const auto elements = static_cast<std::size_t>(graph_.input().elements());
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(segment.samples) * elements);
    std::vector<std::int32_t> labels(static_cast<std::size_t>(segment.samples));
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::uint8_t>(
          mix_bits(static_cast<std::uint32_t>(i + static_cast<std::size_t>(first) * elements)) >> 24);
    }
    for (std::size_t n = 0; n < labels.size(); ++n) {
      labels[n] = static_cast<std::int32_t>(
          mix_bits(static_cast<std::uint32_t>(n + static_cast<std::size_t>(first))) % 10);
    }
    runner.load(segment, pixels, labels);
  }

  void iterate(ProgramRunner& runner, const std::vector<std::int64_t>& micro_batches, int iteration,
               Result& result) const {
    StepContext context;
    context.seed = 5;
    context.iteration = iteration;
    context.learning_rate = 0.01F;
    std::int64_t samples = 0;
    for (const std::int64_t size : micro_batches) samples += size;
    context.sample_weight = 1.F / static_cast<float>(samples);
    for (const std::int64_t size : micro_batches) {
      const Segment& segment = *program_.find(SegmentKind::train, size);
      load(runner, segment, context.first_sample);
      context.valid_samples = size;
      runner.run(segment, context);
      context.first_sample += size;
      context.first_pass = false;
    }
    result.losses.push_back(runner.metrics().loss);
    runner.run(program_.segments.back(), context);
  }

  void evaluate(ProgramRunner& runner, Result& result) const {
    for (const Segment& segment : program_.segments) {
      if (segment.kind != SegmentKind::evaluate) continue;
      load(runner, segment, 0);
      StepContext context;
      context.valid_samples = segment.samples;
      runner.run(segment, context);
      result.probabilities = runner.output(segment);
      result.evaluation_loss = runner.metrics().loss;
    }
  }

  Graph graph_;
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  Program program_;
};

Choices choices_of(std::vector<std::int64_t> train, bool accumulate, std::int64_t evaluate) {
  Choices choices;
  choices.train_samples = std::move(train);
  choices.accumulate = accumulate;
  choices.evaluate_samples = evaluate;
  choices.reduce = true;
  return choices;
}

double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double norm = 1e-30;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  const double ratio = std::sqrt(difference / norm);
  return std::isnan(ratio) ? INFINITY : ratio;
}

// If a tensor's life were too short, or one step wrote over what another reads, sharing memory would change a
// bit.
TEST(ProgramRun, GivesTheSameBitsInOneArenaAsWithMemoryForEachTensor) {
  for (const char* network :
       {networks::kLeNet, networks::kTangle, networks::kFanOut, networks::kHeads, networks::kUpAndDown}) {
    for (const auto& [choices, parts] :
         {std::pair{choices_of({6}, false, 4), std::vector<std::int64_t>{6}},
          std::pair{choices_of({3, 2}, true, 6), std::vector<std::int64_t>{3, 2, 3}}}) {
      Trial trial(network, choices);
      const Result apart = trial.run(parts, 3, false);
      const Result arena = trial.run(parts, 3, true);
      EXPECT_EQ(apart.losses, arena.losses);
      EXPECT_EQ(apart.gradients, arena.gradients);
      EXPECT_EQ(apart.weights, arena.weights);
      EXPECT_EQ(apart.states, arena.states);
      EXPECT_EQ(apart.probabilities, arena.probabilities);
      for (const double loss : arena.losses) EXPECT_TRUE(std::isfinite(loss));
    }
  }
}

TEST(ProgramRun, UpdatesInBackwardLeaveTheSameBitsInLessMemory) {
  for (const char* network :
       {networks::kLeNet, networks::kTangle, networks::kFanOut, networks::kHeads, networks::kUpAndDown}) {
    for (const std::size_t set : {0, 1, 2}) {
      Choices choices = choices_of({6}, false, 4);
      choices.reduce = false;
      choices.bucket_bytes = 4 << 10;
      choices.recompute = recompute_sets(parse_network(network, "net.toml")).at(set).layers;
      Trial late(network, choices);
      choices.update_in_backward = true;
      Trial early(network, choices);
      const Result expected = late.run({6}, 3, true);
      const Result got = early.run({6}, 3, true);
      EXPECT_EQ(got.losses, expected.losses);
      EXPECT_EQ(got.weights, expected.weights);
      EXPECT_EQ(got.states, expected.states);
      EXPECT_EQ(got.probabilities, expected.probabilities);
      EXPECT_NE(expected.losses[0], expected.losses[2]);
      EXPECT_LT(early.arena_bytes(), late.arena_bytes());
    }
  }
}

// The first loss scale is a power of two, so no bit is lost.
TEST(ProgramRun, ScalesLossesAndMeasuresGradientsWithoutAChangeToTheResult) {
  for (const char* network : {networks::kLeNet, networks::kTangle, networks::kHeads}) {
    Choices choices = choices_of({3, 2}, true, 4);
    Trial plain(network, choices);
    choices.scales_loss = choices.clips = true;
    Trial scaled(network, choices);
    const Result expected = plain.run({3, 2, 3}, 3, true);
    for (const bool in_arena : {false, true}) {
      const Result got = scaled.run({3, 2, 3}, 3, in_arena);
      EXPECT_EQ(got.losses, expected.losses) << network;
      EXPECT_EQ(got.weights, expected.weights) << network;
      EXPECT_EQ(got.states, expected.states) << network;
      EXPECT_NE(got.gradients, expected.gradients) << network;
    }
  }
}

TEST(ProgramRun, LargeGradientsAreAddedInPlaceOverTheMicroBatches) {
  const char* network = R"(name = "wide"
input = { channels = 16, height = 8, width = 8 }
layers = [
  { name = "wide", type = "fully_connected", outputs = 1100 },
  { type = "relu" },
  { name = "ip", type = "fully_connected", outputs = 10 },
  { name = "loss", type = "softmax_loss" },
]
)";
  const Result expected = Trial(network, choices_of({9}, false, 0)).run({9}, 1, true);
  Trial split(network, choices_of({5, 4, 1}, true, 0));
  for (const Tensor& tensor : split.program().tensors) {
    if (tensor.category == Category::parameter_gradients) {
      EXPECT_LT(tensor.bytes, 1 << 20) << tensor.name;
    }
  }
  for (const std::vector<std::int64_t>& parts : {std::vector<std::int64_t>{5, 4}, {4, 4, 1}}) {
    const Result got = split.run(parts, 1, true);
    for (std::size_t p = 0; p < got.gradients.size(); ++p)
      EXPECT_LE(relative_difference(got.gradients[p], expected.gradients[p]), 1e-5) << p;
  }
}

TEST(ProgramRun, GradientsDoNotDependOnTheMicroBatches) {
  std::string network = networks::kLeNet;
  network.insert(network.find("  { name = \"ip2\""), "  { type = \"dropout\" },\n");
  Trial whole(network.c_str(), choices_of({9}, false, 0));
  const Result expected = whole.run({9}, 1, true);
  for (const std::vector<std::int64_t>& parts :
       {std::vector<std::int64_t>{5, 4}, {3, 3, 3}, {4, 4, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1}}) {
    Trial split(network.c_str(), choices_of({5, 4, 3, 1}, true, 0));
    const Result got = split.run(parts, 1, true);
    EXPECT_NEAR(got.losses[0], expected.losses[0], 1e-6 * expected.losses[0]);
    for (std::size_t p = 0; p < got.gradients.size(); ++p) {
      EXPECT_LE(relative_difference(got.gradients[p], expected.gradients[p]), 1e-5) << p;
    }
  }
}

/// One iteration and an evaluation against what PyTorch stored in a golden file.
void expect_pytorch(const char* network, const std::string& file) {
  const SafetensorsFile golden =
      SafetensorsFile::open(CONVOY_SOURCE "/tests/golden/" + file + ".safetensors");

  const auto stored = [&](const std::string& name) {
    const TensorView* tensor = golden.find(name);
    EXPECT_NE(tensor, nullptr) << name;
    std::vector<float> values(tensor == nullptr ? 0 : tensor->data.size() / sizeof(float));
    if (tensor != nullptr) std::memcpy(values.data(), tensor->data.data(), tensor->data.size());
    return values;
  };
  Trial trial(network, choices_of({4}, false, 3));
  const Result got = trial.run({4}, 1, true);
  const double loss = static_cast<double>(stored("loss").at(0));
  EXPECT_NEAR(got.losses[0], loss, 1e-5 * loss);
  EXPECT_LE(relative_difference(got.probabilities, stored("probabilities")), 1e-4);
  if (golden.find("evaluation_loss") != nullptr) {
    const double expected = static_cast<double>(stored("evaluation_loss").at(0));
    EXPECT_NEAR(got.evaluation_loss, expected, 1e-5 * expected);
  }
  const auto name_of = [&](int layer) {
    return trial.graph().layers()[static_cast<std::size_t>(layer)].name;
  };
  for (std::size_t p = 0; p < got.gradients.size(); ++p) {
    const ParameterSlot& slot = trial.program().parameters[p];
    const std::string name = name_of(slot.layer) + "." +
                             trial.graph()
                                 .layers()[static_cast<std::size_t>(slot.layer)]
                                 .parameters[static_cast<std::size_t>(slot.parameter)]
                                 .name;
    const std::vector<float> expected = stored(name);
    ASSERT_EQ(got.gradients[p].size(), expected.size()) << name;
    EXPECT_LE(relative_difference(got.gradients[p], expected), 2e-5) << name;
  }
  for (std::size_t s = 0; s < got.states.size(); ++s) {
    const StateSlot& slot = trial.program().states[s];
    const std::string name = name_of(slot.layer) + (slot.state == 0 ? ".running_mean" : ".running_variance");
    EXPECT_LE(relative_difference(got.states[s], stored(name)), 1e-5) << name;
  }
}

TEST(ProgramRun, OfATangledNetworkEqualsPyTorch) { expect_pytorch(networks::kTangle, "network"); }

TEST(ProgramRun, OfANetworkWithAuxiliaryHeadsEqualsPyTorch) { expect_pytorch(networks::kHeads, "heads"); }

TEST(ProgramRun, OfAuxiliaryHeadsDoesNotDependOnTheMicroBatches) {
  std::string network = networks::kHeads;  // without its batch norm, whose batch is the micro-batch
  network.replace(network.find("batch_norm"), 10, "relu");
  Trial whole(network.c_str(), choices_of({9}, false, 4));
  const Result expected = whole.run({9}, 2, true);
  Trial split(network.c_str(), choices_of({4, 1}, true, 4));
  const Result got = split.run({4, 4, 1}, 2, true);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(got.losses[i], expected.losses[i], 1e-6 * expected.losses[i]);
  for (std::size_t p = 0; p < got.gradients.size(); ++p)
    EXPECT_LE(relative_difference(got.gradients[p], expected.gradients[p]), 1e-5) << p;
  EXPECT_LE(relative_difference(got.probabilities, expected.probabilities), 1e-5);
}

TEST(ProgramRun, WithoutTrainingGivesTheSameEvaluationWithoutTheAuxiliaryHeads) {
  Trial both(networks::kHeads, choices_of({4}, false, 5));
  Trial alone(networks::kHeads, choices_of({}, false, 5));
  const Result expected = both.run({}, 0, true);
  const Result got = alone.run({}, 0, true);
  EXPECT_LE(relative_difference(got.probabilities, expected.probabilities), 1e-6);
  EXPECT_NEAR(got.evaluation_loss, expected.evaluation_loss, 1e-6 * expected.evaluation_loss);
}

TEST(ProgramRun, InHalfPrecisionIsNearFullPrecisionWithAuxiliaryHeads) {
  if (!make_cpu_backend()->supports(DType::bf16)) GTEST_SKIP() << "no bf16 kernels here";
  Choices choices = choices_of({5, 2}, true, 4);
  Trial full(networks::kHeads, choices);
  choices.precision = DType::bf16;
  Trial half(networks::kHeads, choices);
  const Result expected = full.run({5, 2}, 2, true);
  const Result got = half.run({5, 2}, 2, true);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(got.losses[i], expected.losses[i], 1e-2 * expected.losses[i]);
  EXPECT_LE(relative_difference(got.probabilities, expected.probabilities), 2e-2);
  const auto joined = [](const std::vector<std::vector<float>>& parts) {
    std::vector<float> all;
    for (const std::vector<float>& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  EXPECT_LE(relative_difference(joined(got.gradients), joined(expected.gradients)), 5e-2);
}

}  // namespace
}  // namespace convoy
