#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <ostream>
#include <string>

#include "layers/core/error.h"
#include "layers/cpu/cpu_backend.h"
#include "tests/layers/graph/networks.h"
#include "trainer/planner/arena_bound.h"
#include "trainer/planner/plan.h"
#include "trainer/planner/plan_report.h"

namespace convoy {
namespace {

PlanRequest request_of(std::int64_t batch, std::int64_t micro_batch = 0) {
  PlanRequest request;
  request.samples = 10 * batch;
  request.batch = batch;
  request.micro_batch = micro_batch;
  request.limit_bytes = std::int64_t{1} << 50;
  return request;
}

Plan plan_of(const char* network, const PlanRequest& request) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  return make_plan(parse_network(network, "net.toml"), request, *backend);
}

TEST(SplitMicroBatches, CoversTheSamplesInFewPartsOfNearlyOneSize) {
  for (std::int64_t samples = 0; samples <= 70; ++samples) {
    for (std::int64_t most = 1; most <= 70; ++most) {
      const std::vector<std::int64_t> parts = split_micro_batches(samples, most);
      EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}), samples);
      EXPECT_EQ(static_cast<std::int64_t>(parts.size()), (samples + most - 1) / most);
      if (parts.empty()) continue;
      const auto [least, largest] = std::minmax_element(parts.begin(), parts.end());
      EXPECT_LE(*largest, most);
      EXPECT_GE(*least, 1);
      EXPECT_LE(*largest - *least, 1);
    }
  }
}

struct Net {
  std::string name;
  const char* text;
  std::int64_t batch;
  friend void PrintTo(const Net& net, std::ostream* out) { *out << net.name; }
};

class Tightness : public testing::TestWithParam<Net> {};

TEST_P(Tightness, TheArenaIsWithinFivePercentOfTheLowerBound) {
  const auto& [name, network, batch] = GetParam();
  const Plan plan = plan_of(network, request_of(batch));
  const double ratio = static_cast<double>(plan.arena_bytes()) / static_cast<double>(plan.layout.lower_bound);
  std::printf("%s at batch %lld: arena %lld bytes, %.4f x the lower bound, %zu tensors\n", name.c_str(),
              static_cast<long long>(batch), static_cast<long long>(plan.arena_bytes()), ratio,
              plan.program.tensors.size());
  RecordProperty("ratio", std::to_string(ratio));
  EXPECT_LE(ratio, 1.05);
  EXPECT_GE(ratio, 1.0);
}

INSTANTIATE_TEST_SUITE_P(Nets, Tightness,
                         testing::Values(Net{"lenet", networks::kLeNet, 64},
                                         Net{"lenet", networks::kLeNet, 7},
                                         Net{"tangle", networks::kTangle, 16},
                                         Net{"alexnet", networks::kAlexNet, 16},
                                         Net{"vgg16", networks::kVgg16, 4}),
                         [](const auto& p) { return p.param.name + "_" + std::to_string(p.param.batch); });

TEST(Plan, NeedsNoMoreMemoryForSmallerMicroBatches) {
  std::int64_t before = plan_of(networks::kLeNet, request_of(64)).arena_bytes();
  for (const std::int64_t micro_batch : {48, 32, 21, 16, 12, 9, 8, 7, 6, 5, 4, 3, 2, 1}) {
    const std::int64_t bytes = plan_of(networks::kLeNet, request_of(64, micro_batch)).arena_bytes();
    EXPECT_LE(bytes, before) << micro_batch;
    before = bytes;
  }
}

TEST(Plan, BoundOfTrainingAloneIsThatOfTheWhole) {
  for (const char* network : {networks::kLeNet, networks::kTangle, networks::kAlexNet}) {
    const Graph graph = parse_network(network, "net.toml");
    const std::unique_ptr<Backend> backend = make_cpu_backend();
    for (const std::int64_t micro_batch : {20, 13, 7, 1}) {  // 13: of a batch of 20 two of 10, of 3 one
      PlanRequest request = request_of(20, micro_batch);
      request.samples = 203;
      const std::int64_t bound = arena_lower_bound(graph, request, *backend, nullptr);
      const ArenaLayout layout = make_plan(graph, request, *backend).layout;
      EXPECT_LE(bound, layout.lower_bound) << micro_batch;
      EXPECT_GT(bound, layout.lower_bound * 95 / 100) << micro_batch;
      request.evaluate_batch = 500;  // now evaluation has the peak
      EXPECT_EQ(arena_lower_bound(graph, request, *backend, nullptr), bound);
      EXPECT_LT(bound, make_plan(graph, request, *backend).layout.lower_bound);
    }
  }
}

TEST(Plan, LedgerAddsUpToTheLowerBound) {
  for (const char* network : {networks::kLeNet, networks::kTangle}) {
    const Plan plan = plan_of(network, request_of(32));
    EXPECT_EQ(std::accumulate(plan.ledger.begin(), plan.ledger.end(), std::int64_t{0}),
              plan.layout.lower_bound);
  }
}

TEST(Plan, HoldsParametersGradientsAndMomentumOnceEach) {
  const Plan plan = plan_of(networks::kLeNet, request_of(8));
  const std::int64_t bytes = plan.program.flat_bytes();
  EXPECT_GE(bytes, 4 * 431080);
  EXPECT_LE(bytes, 4 * 431080 * 1.2);  // oneDNN pads channels to its blocks
  EXPECT_EQ(plan.ledger[static_cast<std::size_t>(Category::weights)], bytes);
  EXPECT_EQ(plan.ledger[static_cast<std::size_t>(Category::gradients)], bytes);
  EXPECT_EQ(plan.ledger[static_cast<std::size_t>(Category::optimizer)], bytes);
  PlanRequest request = request_of(8);
  request.momentum = false;
  EXPECT_EQ(plan_of(networks::kLeNet, request).ledger[static_cast<std::size_t>(Category::optimizer)], 0);
}

TEST(Plan, HasASegmentForEverySizeThatAnEpochBrings) {
  PlanRequest request;
  request.samples = 103;  // five batches of 20 and one of 3
  request.batch = 20;
  request.ranks = 3;  // shares of 7, 7, 6; then 1 each
  request.micro_batch = 4;
  const Plan plan = plan_of(networks::kLeNet, request);
  for (const std::int64_t share : {7, 6, 1}) {
    for (const std::int64_t part : split_micro_batches(share, plan.micro_batch)) {
      EXPECT_NE(plan.program.find(SegmentKind::train, part), nullptr) << part;
    }
  }
  EXPECT_EQ(plan.accumulation, 2);
  EXPECT_NE(plan.program.find(SegmentKind::evaluate, plan.micro_batch), nullptr);
}

TEST(Plan, FitsExactlyItsOwnProjection) {
  PlanRequest request = request_of(8);
  request.limit_bytes = plan_of(networks::kLeNet, request).arena_bytes();
  EXPECT_TRUE(plan_of(networks::kLeNet, request).fits());
  --request.limit_bytes;
  const Plan plan = plan_of(networks::kLeNet, request);
  EXPECT_FALSE(plan.fits());
  try {
    refuse_plan(plan, parse_network(networks::kLeNet, "net.toml"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::does_not_fit);
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("\"lenet\" does not fit"),
                                             testing::HasSubstr(std::to_string(plan.arena_bytes())),
                                             testing::HasSubstr(std::to_string(request.limit_bytes)),
                                             testing::HasSubstr("train.micro_batch")));
  }
}

TEST(Plan, JsonHasEveryPromisedField) {
  const boost::json::object json =
      plan_json(plan_of(networks::kLeNet, request_of(8)), parse_network(networks::kLeNet, "net.toml"));
  for (const char* key :
       {"fits", "projected_bytes", "limit_bytes", "arena_bytes", "lower_bound_bytes", "global_batch",
        "micro_batch", "accumulation", "precision", "recompute", "shard_optimizer", "workspace_bytes",
        "ledger", "actions", "smallest_limit_bytes"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

}  // namespace
}  // namespace convoy
