// The figures under "Memory" of the reference page, from plans for a device that is not here.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "layers/core/bytes.h"
#include "layers/sizes/size_backend.h"
#include "tests/layers/graph/networks.h"
#include "trainer/planner/plan.h"

namespace convoy {
namespace {

/// With several ranks the optimizer is sharded over them.
Plan plan_for(const Graph& graph, DType precision, std::int64_t batch, bool training = true, int ranks = 1) {
  PlanRequest request;
  request.ranks = ranks;
  request.shard_optimizer = ranks > 1;
  request.training = training;
  request.samples = request.batch = batch;
  request.precision = precision;
  request.evaluate = false;
  request.workspace_bytes = 0;
  request.limit_bytes = std::int64_t{1} << 50;
  const std::unique_ptr<Backend> backend = make_size_backend({"gpu", {DType::f32, DType::f16}});
  return make_plan(graph, request, *backend);
}

std::int64_t ledger(const Plan& plan, Category category) {
  return plan.ledger[static_cast<std::size_t>(category)];
}

/// Bytes of all tensors that `counts` takes, without alignment.
std::int64_t bytes_of(const Plan& plan, const std::function<bool(const Tensor&)>& counts) {
  std::int64_t bytes = 0;
  for (const Tensor& tensor : plan.program.tensors) bytes += counts(tensor) ? tensor.bytes : 0;
  return bytes;
}

/// What a parameter costs throughout: weights, master weights, gradients and momentum.
std::int64_t parameter_bytes(const Plan& plan) {
  return ledger(plan, Category::weights) + ledger(plan, Category::master_weights) +
         ledger(plan, Category::gradients) + ledger(plan, Category::optimizer);
}

/// A network file's text with a head that can be trained.
Graph with_head(const std::string& convolutions, const std::string& input) {
  return parse_network("name = \"x\"\ninput = " + input + "\nlayers = [ " + convolutions +
                           ", { name = \"head\", type = \"average_pool\", global = true }, "
                           "{ name = \"loss\", type = \"softmax_loss\" } ]\n",
                       "net.toml");
}

/// 60 million parameters, all of them weights.
Graph sixty_million() {
  return parse_network(R"(
name = "sixty"
input = { channels = 6000, height = 1, width = 1 }
layers = [ { type = "fully_connected", outputs = 10000, bias = false }, { type = "softmax_loss" } ])",
                       "net.toml");
}

TEST(MemoryFigures, SixtyMillionParametersTake229MiB) {
  const Plan plan = plan_for(sixty_million(), DType::f32, 1);
  EXPECT_EQ(ledger(plan, Category::weights), 240'000'000);
  EXPECT_EQ(format_bytes(ledger(plan, Category::weights)), "228.88 MiB");
}

TEST(MemoryFigures, SgdWithMomentumTakesTwelveBytesAParameterInFp32AndInFp16) {
  const Plan full = plan_for(sixty_million(), DType::f32, 1);
  EXPECT_EQ(ledger(full, Category::master_weights), 0);
  EXPECT_EQ(parameter_bytes(full), 12 * 60'000'000LL);
  const Plan half = plan_for(sixty_million(), DType::f16, 1);
  EXPECT_EQ(ledger(half, Category::weights), 2 * 60'000'000LL);
  EXPECT_EQ(ledger(half, Category::master_weights), 4 * 60'000'000LL);
  EXPECT_EQ(ledger(half, Category::gradients), 2 * 60'000'000LL);
  EXPECT_EQ(ledger(half, Category::optimizer), 4 * 60'000'000LL);
  EXPECT_EQ(parameter_bytes(half), 12 * 60'000'000LL);
}

TEST(MemoryFigures, AnOptimizerShardedOver8RanksTakesEightAndAHalfBytesInFp32AndFiveInFp16) {
  const auto bytes = [](const Plan& plan, std::vector<Category> categories) {
    return bytes_of(plan, [&](const Tensor& tensor) {
      return std::find(categories.begin(), categories.end(), tensor.category) != categories.end();
    });
  };
  const std::vector<Category> all{Category::weights, Category::master_weights, Category::gradients,
                                  Category::optimizer};
  const Plan full = plan_for(sixty_million(), DType::f32, 8, true, 8);
  EXPECT_EQ(bytes(full, all), 60'000'000LL * 17 / 2);
  EXPECT_EQ(bytes(full, {Category::optimizer}), 4 * 60'000'000LL / 8);
  EXPECT_LE(parameter_bytes(full) - bytes(full, all), 4 * 256) << "the ledger counts alignment too";
  const Plan half = plan_for(sixty_million(), DType::f16, 8, true, 8);
  EXPECT_EQ(bytes(half, all), 60'000'000LL * 5);
  EXPECT_EQ(bytes(half, {Category::master_weights}), 4 * 60'000'000LL / 8);
}

TEST(MemoryFigures, AShardedAlexNetTakesThemTooUpToItsBiasesAndPadding) {
  const Graph alexnet = parse_network(networks::kAlexNet, "net.toml");
  const auto each = [&](DType type, int ranks) {
    return static_cast<double>(parameter_bytes(plan_for(alexnet, type, 8, true, ranks))) / 60'965'224;
  };
  EXPECT_NEAR(each(DType::f32, 8), 8.5, 0.01);
  EXPECT_NEAR(each(DType::f16, 8), 5, 0.01);
  EXPECT_NEAR(each(DType::f32, 2), 10, 0.01);
  EXPECT_NEAR(each(DType::f16, 64), 4 + 8.0 / 64, 0.01);
}

TEST(MemoryFigures, Fp16SavesActivationsNotWeights) {
  const Graph alexnet = parse_network(networks::kAlexNet, "net.toml");
  const Plan full = plan_for(alexnet, DType::f32, 128);
  const Plan half = plan_for(alexnet, DType::f16, 128);
  const double twelve = 12.0 * 60'965'224;
  EXPECT_NEAR(static_cast<double>(parameter_bytes(full)), twelve, 2e-3 * twelve);
  EXPECT_NEAR(static_cast<double>(parameter_bytes(half)), twelve, 2e-2 * twelve);
  const auto activations = [](const Plan& plan) {
    return static_cast<double>(
        bytes_of(plan, [](const Tensor& t) { return t.category == Category::activations; }));
  };
  EXPECT_NEAR(activations(half), activations(full) / 2, 0.01 * activations(full));
}

TEST(MemoryFigures, ThreeConvolutionsOf64MapsTake73MiBAnImageWithTheirGradients) {
  const Graph graph =
      with_head(R"({ name = "c1", type = "convolution", outputs = 64, kernel = 3, padding = 1 },
      { name = "c2", type = "convolution", outputs = 64, kernel = 3, padding = 1 },
      { name = "c3", type = "convolution", outputs = 64, kernel = 3, padding = 1 })",
                "{ channels = 3, height = 224, width = 224 }");
  for (const DType type : {DType::f32, DType::f16}) {
    const Plan plan = plan_for(graph, type, 1);
    const std::int64_t maps = bytes_of(
        plan, [](const Tensor& t) { return t.category == Category::activations && t.name[0] == 'c'; });
    const std::int64_t gradients = bytes_of(plan, [](const Tensor& t) {
      return t.category == Category::activation_gradients && t.name.starts_with("gradient of c");
    });
    EXPECT_EQ(maps, 9'633'792 * size_of(type));
    EXPECT_EQ(gradients, maps);
    if (type == DType::f32) {
      EXPECT_EQ(format_bytes(maps + gradients), "73.50 MiB");
    }
  }
}

TEST(MemoryFigures, Vgg16Has15MillionActivationsAnImage) {
  const Graph vgg = read_network(CONVOY_SOURCE "/configs/nets/vgg16.toml");
  const auto activations = [](const Plan& plan) {
    return bytes_of(plan, [](const Tensor& t) { return t.category == Category::activations; });
  };
  const std::int64_t bytes = activations(plan_for(vgg, DType::f32, 1, false));
  EXPECT_EQ(bytes, 4 * 15'237'608);
  EXPECT_EQ(format_bytes(bytes), "58.13 MiB");
  // In fp16 half of it, but the probabilities are in fp32 and do not take the place of the scores.
  EXPECT_EQ(activations(plan_for(vgg, DType::f16, 1, false)), bytes / 2 + 4 * 1000);
}

class ThreeStrided : public testing::Test {
 protected:
  const std::string rows_ =
      R"({ name = "c1", type = "convolution", outputs = 100, kernel = 3, stride = 2, padding = "same" },
         { name = "c2", type = "convolution", outputs = 200, kernel = 3, stride = 2, padding = "same" },
         { name = "c3", type = "convolution", outputs = 400, kernel = 3, stride = 2, padding = "same" })";
  const std::string input_ = "{ channels = 3, height = 200, width = 300 }";
};

TEST_F(ThreeStrided, InferenceKeepsTwoNeighboursAtATime) {
  const Graph graph = read_network(CONVOY_SOURCE "/configs/nets/three_strided.toml");
  const Plan plan = plan_for(graph, DType::f32, 1, false);
  EXPECT_EQ(bytes_of(plan,
                     [&](const Tensor& t) {
                       return t.category == Category::activations && t.first <= plan.layout.peak_step &&
                              plan.layout.peak_step <= t.last;
                     }),
            9'000'000);
  EXPECT_EQ(plan.program.steps[static_cast<std::size_t>(plan.layout.peak_step)].name, "forward conv2");
  // And the pixels of the next image, which come meanwhile.
  EXPECT_NEAR(static_cast<double>(plan.arena_bytes()), 9'000'000 + 3'613'600 + 180'000, 2048);
}

TEST_F(ThreeStrided, Has903400ParametersAndTheTablesOutputs) {
  const Plan plan = plan_for(with_head(rows_, input_), DType::f32, 1);
  std::int64_t parameters = 0;
  for (const ParameterSlot& slot : plan.program.parameters) parameters += slot.bytes();
  EXPECT_EQ(parameters, 3'613'600);
  const std::vector<std::pair<std::string, std::int64_t>> outputs{
      {"c1", 6'000'000}, {"c2", 3'000'000}, {"c3", 1'520'000}};
  for (const auto& [name, bytes] : outputs)
    EXPECT_EQ(bytes_of(plan, [&](const Tensor& t) { return t.name == name; }), bytes);
}

TEST_F(ThreeStrided, TrainingOn50ImagesTakes526MegabytesOfActivations) {
  for (const DType type : {DType::f32, DType::f16}) {
    const Plan plan = plan_for(with_head(rows_, input_), type, 50);
    const std::int64_t of_four = size_of(type);
    EXPECT_EQ(
        bytes_of(plan,
                 [](const Tensor& t) { return t.category == Category::activations && t.name[0] == 'c'; }),
        526'000'000 / 4 * of_four);
    EXPECT_EQ(bytes_of(plan, [](const Tensor& t) { return t.name == "input"; }), 36'000'000 / 4 * of_four);
    // All of them wait for backward at once.
    int end_of_forward = 0;
    while (plan.program.steps[static_cast<std::size_t>(end_of_forward)].name != "forward head")
      ++end_of_forward;
    EXPECT_GE(bytes_of(plan,
                       [&](const Tensor& t) {
                         return t.category == Category::activations && t.first <= end_of_forward &&
                                end_of_forward <= t.last;
                       }),
              562'000'000 / 4 * of_four);
  }
}

}  // namespace
}  // namespace convoy
