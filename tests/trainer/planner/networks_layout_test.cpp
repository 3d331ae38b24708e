#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "layers/core/clock.h"
#include "layers/cpu/cpu_backend.h"
#include "trainer/planner/plan.h"

// The arena of every network of configs/nets that can be trained is as small as any can be.
namespace convoy {
namespace {

std::vector<std::string> networks() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(CONVOY_SOURCE "/configs/nets")) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Network : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    graph_ = read_network(CONVOY_SOURCE "/configs/nets/" + GetParam() + ".toml");
    if (graph_->loss_layer() < 0) GTEST_SKIP() << "has no loss, so it cannot be trained";
  }

  void expect_optimal(const PlanRequest& request) {
    const std::unique_ptr<Backend> backend = make_cpu_backend();
    if (!backend->supports(request.precision)) return;
    const Plan plan = make_plan(*graph_, request, *backend);
    const ArenaLayout& layout = plan.layout;
    if (is_known_gap(plan)) {
      EXPECT_LE(static_cast<double>(layout.bytes), 1.0004 * static_cast<double>(layout.lower_bound));
      return;
    }
    EXPECT_EQ(layout.bytes, layout.lower_bound)
        << name_of(layout.method) << ", " << plan.program.tensors.size() << " tensors, effort "
        << layout.effort;
    EXPECT_TRUE(layout.optimal);
    EXPECT_LE(layout.effort, LayoutOptions::kSecond / 5);
    print(plan);
  }

  /// The one case of 216 in which the search gives up at 1.00037 times the bound; thirty times its effort
  /// finds nothing better either.
  static bool is_known_gap(const Plan& plan) {
    return GetParam() == "googlenet" && plan.request.precision == DType::bf16 && plan.micro_batch == 16;
  }

  /// Lays out once more and prints how long it takes.
  void print(const Plan& plan) const {
    std::vector<Block> blocks;
    for (const Tensor& tensor : plan.program.tensors)
      blocks.push_back({tensor.first, tensor.last, tensor.bytes});
    const auto start = Clock::now();
    const ArenaLayout layout = lay_out(blocks, plan.program.alignment);
    const double all = seconds_since(start);
    const auto again = Clock::now();
    const std::int64_t bytes = lay_out(blocks, plan.program.alignment, {.effort = 0}).bytes;
    fmt::print("{} {}, {} at a time: {} tensors, {} bytes, {:.1f} ms, {}; first fit {:.5f} x, {:.1f} ms\n",
               GetParam(), name_of(plan.request.precision), plan.micro_batch, blocks.size(), layout.bytes,
               all * 1e3, name_of(layout.method),
               static_cast<double>(bytes) / static_cast<double>(layout.lower_bound),
               seconds_since(again) * 1e3);
  }

  std::optional<Graph> graph_;
};

TEST_P(Network, TrainsAtTheLowerBound) {
  for (const std::int64_t batch : {1, 16, 32}) {
    for (const DType precision : {DType::f32, DType::bf16}) {
      SCOPED_TRACE(testing::Message() << "batch " << batch << " in " << name_of(precision));
      PlanRequest request;
      request.samples = 10 * batch;
      request.batch = batch;
      request.precision = precision;
      expect_optimal(request);
    }
  }
}

TEST_P(Network, TrainsAtTheLowerBoundWithTailsAndRanks) {
  PlanRequest request;
  request.samples = 1003;
  request.batch = 20;
  request.ranks = 3;
  request.micro_batch = 4;
  request.evaluate_batch = 10;
  expect_optimal(request);
}

TEST_P(Network, IsEvaluatedAtTheLowerBound) {
  PlanRequest request;
  request.training = false;
  request.batch = request.samples = 8;
  expect_optimal(request);
}

INSTANTIATE_TEST_SUITE_P(Nets, Network, testing::ValuesIn(networks()),
                         [](const auto& net) { return net.param; });

}  // namespace
}  // namespace convoy
