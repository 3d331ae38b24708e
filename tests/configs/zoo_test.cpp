#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "layers/cpu/cpu_backend.h"
#include "tests/configs/small_network.h"
#include "tests/configs/zoo_golden.h"
#include "tests/golden/hashed_values.h"
#include "tests/trainer/program/program_runner.h"
#include "trainer/planner/arena_layout.h"

// Every network of configs/nets, at a small size of image, against PyTorch in double precision: scores, loss,
// the gradient of every parameter, running statistics.
namespace convoy::test {
namespace {

const std::string kNets = CONVOY_SOURCE "/configs/nets/";

/// The network with another size of image, and a loss where it has none.
Graph small_network(const std::string& name, const GoldenNetwork& golden) {
  std::string text = small_network_text(name, golden.height, golden.width);
  if (text.find("softmax_loss") == std::string::npos)
    text.insert(text.find("\n]"),
                "\n{ type = \"average_pool\", global = true }, { type = \"softmax_loss\" },");
  return parse_network(text, name);
}

/// Errors of gradients, parameter by parameter.
struct Errors {
  double squared_error = 0, squared_norm = 0, squares = 0, count = 0, worst = 0;
  std::string worst_name;

  void add(const GoldenRow& row, double error) {
    squared_error += std::pow(error * row.norm, 2);
    squared_norm += std::pow(row.norm, 2);
    squares += error * error;
    ++count;
    if (error <= worst) return;
    worst = error;
    worst_name = row.name;
  }
  double whole() const { return std::sqrt(squared_error / squared_norm); }
  double mean() const { return std::sqrt(squares / count); }  ///< root of the mean square
};

/// One iteration of one network.
class Iteration {
 public:
  Iteration(const std::string& network, DType precision)
      : name_(network),
        half_(precision == DType::bf16),
        golden_(golden_network(network)),
        graph_(small_network(network, golden_)),
        program_(build_program(graph_, choices(precision), *backend_)),
        runner_(in_arena()) {
    for (const ParameterSlot& slot : program_.parameters)
      runner_.set_parameter(slot, first_values(spec_of(slot), find(name_of(slot))));
    runner_.set_states(0, 1);
  }

  void run() {
    StepContext context;
    context.seed = 5;
    context.sample_weight = 1.F / static_cast<float>(golden_.batch);
    context.valid_samples = golden_.batch;
    Segment forward = *program_.find(SegmentKind::train, golden_.batch);
    load(forward);
    Segment backward = forward;
    forward.end = backward.first = end_of_scores(forward);
    runner_.run(forward, context);
    scores_ = centred_scores(runner_.output(forward));
    runner_.run(backward, context);
    loss_ = runner_.metrics().loss;
    runner_.run(program_.segments.back(),
                context);  // at a learning rate of 0: only the running statistics move
  }

  void compare() {
    check(loss_ / golden_.loss - 1, half_ ? 2e-2 : 1e-5, "loss");
    const GoldenRow& scores = *golden_.find("scores");
    check(scores.distance(scores_), half_ ? std::max(2e-2, 1.5 * scores.half_error) : 1e-4, "scores");
    Errors ours;
    Errors pytorchs;
    for (const ParameterSlot& slot : program_.parameters) {
      const GoldenRow& row = find(name_of(slot));
      pytorchs.add(row, row.half_error);
    }
    for (const ParameterSlot& slot : program_.parameters) {
      const GoldenRow& row = find(name_of(slot));
      const double error = row.distance(runner_.gradient(slot));
      ours.add(row, error);
      check(error, limit(row, pytorchs), row.name);
    }
    for (const StateSlot& slot : program_.states) {
      const GoldenRow& row = find(name_of(slot));
      check(row.distance(runner_.state(slot)), limit(row, pytorchs), row.name);
    }
    EXPECT_EQ(1 + program_.parameters.size() + program_.states.size(), golden_.rows.size());
    check(ours.whole(), half_ ? std::max(2e-2, 1.5 * pytorchs.whole()) : 1e-4, "the whole gradient");
    check(ours.mean(), half_ ? std::max(2e-2, 1.5 * pytorchs.mean()) : 1e-4, "the mean over parameters");
    fmt::print("{}: loss {:.1e}, scores {:.1e}, gradient {:.1e}, by parameter {:.1e}, worst {:.1e} {}", name_,
               loss_ / golden_.loss - 1, scores.distance(scores_), ours.whole(), ours.mean(), ours.worst,
               ours.worst_name);
    if (half_) {
      fmt::print("; PyTorch's gradient {:.1e}, by parameter {:.1e}, worst {:.1e} {}", pytorchs.whole(),
                 pytorchs.mean(), pytorchs.worst, pytorchs.worst_name);
    }
    fmt::print("\n");
  }

 private:
  Choices choices(DType precision) const {
    Choices choices;
    choices.train_samples = {golden_.batch};
    choices.precision = precision;
    return choices;
  }

  ProgramRunner in_arena() {
    std::vector<Block> blocks;
    for (const Tensor& tensor : program_.tensors) blocks.push_back({tensor.first, tensor.last, tensor.bytes});
    const ArenaLayout layout = lay_out(blocks, program_.alignment);
    return {program_, graph_, *backend_, layout.offsets, layout.bytes};
  }

  const GoldenRow& find(const std::string& name) const {
    const GoldenRow* row = golden_.find(name);
    if (row == nullptr) throw std::runtime_error("PyTorch has no " + name);
    return *row;
  }
  const Layer& layer(int index) const { return graph_.layers()[static_cast<std::size_t>(index)]; }
  const ParameterSpec& spec_of(const ParameterSlot& slot) const {
    return layer(slot.layer).parameters[static_cast<std::size_t>(slot.parameter)];
  }
  std::string name_of(const ParameterSlot& slot) const {
    return layer(slot.layer).name + "." + spec_of(slot).name;
  }
  std::string name_of(const StateSlot& slot) const {
    return layer(slot.layer).name + "." + layer(slot.layer).states[static_cast<std::size_t>(slot.state)].name;
  }

  void load(const Segment& segment) {
    const auto elements = static_cast<std::uint32_t>(graph_.input().elements());
    const auto batch = static_cast<std::uint32_t>(golden_.batch);
    std::vector<std::uint8_t> pixels;
    std::vector<std::int32_t> labels;
    for (std::uint32_t i = 0; i < batch * elements; ++i)
      pixels.push_back(static_cast<std::uint8_t>(mix_bits(golden_.first_sample * elements + i) >> 24));
    for (std::uint32_t i = 0; i < batch; ++i)
      labels.push_back(static_cast<std::int32_t>(mix_bits(golden_.first_sample + i) %
                                                 static_cast<std::uint32_t>(graph_.classes())));
    runner_.load(segment, pixels, labels);
  }

  /// One past the step that computes the main loss: afterwards its output's memory serves others.
  int end_of_scores(const Segment& segment) const {
    int step = segment.first;
    while (program_.steps[static_cast<std::size_t>(step)].kind != StepKind::layer ||
           program_.steps[static_cast<std::size_t>(step)].layer != graph_.loss_layer())
      ++step;
    return step + 1;
  }

  /// Probabilities to the scores they come from, up to a constant for each sample.
  std::vector<float> centred_scores(const std::vector<float>& probabilities) const {
    std::vector<float> scores;
    const auto classes = static_cast<std::size_t>(graph_.classes());
    for (std::size_t row = 0; row < probabilities.size(); row += classes) {
      double mean = 0;
      for (std::size_t c = 0; c < classes; ++c)
        mean += std::log(static_cast<double>(probabilities[row + c])) / static_cast<double>(classes);
      for (std::size_t c = 0; c < classes; ++c)
        scores.push_back(static_cast<float>(std::log(static_cast<double>(probabilities[row + c])) - mean));
    }
    return scores;
  }

  /// Of one tensor. In bf16 rounding decides some of a network's kinks otherwise, and gradients are off by
  /// more than the rounding; PyTorch's as well, in other places. So the means over its errors are the
  /// yardstick of ours, and a single tensor is only looked at roughly: without a term of its gradient, or
  /// with the wrong sign, it is off by about 1.
  double limit(const GoldenRow& row, const Errors& pytorchs) const {
    if (!half_) return 1e-4;
    return std::clamp(std::max({3 * row.half_error, 3 * pytorchs.mean(), 2 * pytorchs.worst}), 2e-2, 0.8);
  }

  static void check(double error, double limit, const std::string& what) {
    EXPECT_TRUE(std::isfinite(error)) << what;
    EXPECT_LE(std::abs(error), limit) << what;
  }

  std::string name_;
  bool half_;
  GoldenNetwork golden_;
  Graph graph_;
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  Program program_;
  ProgramRunner runner_;
  std::vector<float> scores_;
  double loss_ = 0;
};

std::vector<std::string> networks() {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kNets))
    names.insert(file.path().stem().string());
  return {names.begin(), names.end()};
}

void compare_with_pytorch(const std::string& network, DType precision) {
  set_cpu_threads(1);  // beside other tests, two threads wait for each other longer than they work
  Iteration iteration(network, precision);
  iteration.run();
  iteration.compare();
}

class Zoo : public testing::TestWithParam<std::string> {};

TEST_P(Zoo, TrainsAsInPyTorch) { compare_with_pytorch(GetParam(), DType::f32); }

TEST_P(Zoo, TrainsInHalfPrecisionAsNearAsPyTorchDoes) {
  if (!make_cpu_backend()->supports(DType::bf16)) GTEST_SKIP() << "no bf16 kernels here";
  compare_with_pytorch(GetParam(), DType::bf16);
}

INSTANTIATE_TEST_SUITE_P(Configs, Zoo, testing::ValuesIn(networks()),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace convoy::test
