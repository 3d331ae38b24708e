#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "layers/cpu/cpu_backend.h"
#include "tests/configs/small_network.h"
#include "tests/golden/hashed_values.h"
#include "tests/trainer/program/program_runner.h"
#include "trainer/parameters.h"
#include "trainer/planner/plan.h"
#include "trainer/planner/recompute_sets.h"

namespace convoy::test {
namespace {

constexpr std::int64_t kBatch = 4;
constexpr std::int64_t kMicroBatch = 3;  // 2 and 2 samples

struct Small {
  std::string name;
  int height, width;  ///< of the images, small
  friend void PrintTo(const Small& small, std::ostream* out) { *out << small.name; }
};

/// What two iterations of two micro-batches leave behind: gradients, statistics and the loss.
struct Outcome {
  std::vector<std::vector<float>> gradients;
  std::vector<std::vector<float>> states;
  double loss = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome train(const Graph& graph, const Plan& plan, Backend& backend) {
  ProgramRunner runner(plan.program, graph, backend, plan.layout.offsets, plan.arena_bytes());
  for (const ParameterSlot& slot : plan.program.parameters) {
    const Layer& layer = graph.layers()[static_cast<std::size_t>(slot.layer)];
    runner.set_parameter(slot, initial_values(layer.parameters[static_cast<std::size_t>(slot.parameter)], 1,
                                              slot.layer, slot.parameter));
  }
  runner.set_states(0, 1);
  Outcome outcome;
  for (std::int64_t iteration = 0; iteration < 2; ++iteration) {
    std::int64_t first = 0;
    for (const std::int64_t size : split_micro_batches(kBatch, kMicroBatch)) {
      const Segment& segment = *plan.program.find(SegmentKind::train, size);
      std::vector<std::uint8_t> pixels(static_cast<std::size_t>(size * graph.input().elements()));
      for (std::size_t i = 0; i < pixels.size(); ++i)
        pixels[i] = static_cast<std::uint8_t>(
            mix_bits(static_cast<std::uint32_t>(i + 7919 * static_cast<std::size_t>(first))));
      std::vector<std::int32_t> labels;
      for (std::int64_t n = 0; n < size; ++n)
        labels.push_back(static_cast<std::int32_t>((first + n) % graph.classes()));
      runner.load(segment, pixels, labels);
      StepContext context;
      context.seed = 3;
      context.iteration = iteration;
      context.first_pass = first == 0;
      context.first_sample = first;
      context.valid_samples = size;
      context.sample_weight = 1.0F / kBatch;
      runner.run(segment, context);
      first += size;
    }
    for (const ParameterSlot& slot : plan.program.parameters)
      outcome.gradients.push_back(runner.gradient(slot));
    outcome.loss += runner.metrics().loss;
  }
  StepContext context;
  context.learning_rate = 0.01F;
  runner.run(plan.program.segments.back(), context);
  for (const StateSlot& slot : plan.program.states) outcome.states.push_back(runner.state(slot));
  return outcome;
}

class Recompute : public testing::TestWithParam<Small> {
 protected:
  Plan plan(const std::vector<int>& layers) {
    PlanRequest request;
    request.samples = kBatch;
    request.batch = kBatch;
    request.micro_batch = kMicroBatch;
    request.evaluate = false;
    request.recompute = layers;
    return make_plan(graph_, request, *backend_, &known_);
  }

  Graph graph_ = parse_network(small_network_text(GetParam().name, GetParam().height, GetParam().width),
                               GetParam().name);
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  Lowerings known_;
};

TEST_P(Recompute, GivesTheSameBitsAndUpdatesStatisticsOnce) {
  const Outcome kept = train(graph_, plan({}), *backend_);
  ASSERT_TRUE(std::isfinite(kept.loss));
  bool again = false;
  const std::vector<RecomputeSet> sets = recompute_sets(graph_);
  for (const RecomputeSet& set : {sets[1], sets[3], sets.back()}) {
    const Plan recomputing = plan(set.layers);
    for (const Step& step : recomputing.program.steps) again = again || step.name.starts_with("recompute ");
    EXPECT_TRUE(train(graph_, recomputing, *backend_) == kept) << set.name;
  }
  EXPECT_TRUE(again);
  // A set that nobody would choose.
  std::vector<int> third;
  for (int i = 0; i < static_cast<int>(graph_.layers().size()); ++i) {
    if (i % 3 == 1 && !is_loss(graph_.layers()[static_cast<std::size_t>(i)].op)) third.push_back(i);
  }
  EXPECT_TRUE(train(graph_, plan(third), *backend_) == kept);
}

TEST_P(Recompute, SavesMemory) {
  const std::int64_t kept = plan({}).arena_bytes();
  std::int64_t least = kept;
  for (const RecomputeSet& set : recompute_sets(graph_))
    least = std::min(least, plan(set.layers).arena_bytes());
  EXPECT_LT(least, kept);
}

INSTANTIATE_TEST_SUITE_P(Networks, Recompute,
                         testing::Values(Small{"fashion_grid", 28, 28}, Small{"cifar10_full", 32, 24},
                                         Small{"nin_cifar10", 16, 24}, Small{"resnet20", 20, 16},
                                         Small{"googlenet", 80, 96}, Small{"googlenet_bn", 64, 48},
                                         Small{"squeezenet1_1", 63, 79}, Small{"mobilenet_v2", 64, 48}),
                         [](const auto& net) { return net.param.name; });

}  // namespace
}  // namespace convoy::test
