#include "trainer/planner/cost_model.h"

#include <gtest/gtest.h>

#include <numeric>

#include "trainer/planner/recompute_sets.h"

namespace convoy {
namespace {

constexpr double kFlops = 1e12, kHalfFlops = 4e12, kBytes = 1e11, kLaunch = 1e-6;

PlanRequest request_of(std::int64_t batch, int ranks = 1) {
  PlanRequest request;
  request.samples = 100 * batch;
  request.batch = batch;
  request.ranks = ranks;
  request.speed = {kFlops, kHalfFlops, kBytes, kLaunch};
  request.links = {Interconnect::Library::nccl, {5e-6, 1e10}, {2e-5, 4e9}, 8};
  return request;
}

Graph network(const char* name) {
  return read_network(std::string(CONVOY_SOURCE "/configs/nets/") + name + ".toml");
}

const char* const kTwoLayers = R"(name = "two"
input = { channels = 8, height = 10, width = 10 }
layers = [
  { name = "conv", type = "convolution", outputs = 16, kernel = 5, padding = 2 },
  { name = "relu", type = "relu" },
  { name = "fc", type = "fully_connected", outputs = 10 },
  { type = "softmax_loss" },
])";

TEST(LayerWork, OfConvolutionAndFullyConnectedIsAsCountedByHand) {
  const std::vector<LayerWork> works = layer_works(parse_network(kTwoLayers, "two.toml"));
  const LayerWork& convolution = works[0];
  EXPECT_EQ(convolution.forward.flops, 2.0 * 16 * 100 * 8 * 25);
  EXPECT_EQ(convolution.forward.values, 800 + 1600);
  EXPECT_EQ(convolution.forward.parameters, 16 * 8 * 25 + 16);
  EXPECT_EQ(convolution.backward_weights.flops, convolution.forward.flops);
  EXPECT_EQ(convolution.backward_data.kernels, 0) << "nobody wants the gradient of the input";
  EXPECT_EQ(works[1].forward.kernels, 0) << "the convolution does it";
  EXPECT_EQ(works[1].backward_data.values, 3 * 1600) << "gradient and output read, gradient written";
  EXPECT_EQ(works[2].backward_data.flops, 2.0 * 1600 * 10);
}

TEST(LayerWork, TakesTheLongerOfArithmeticAndMemory) {
  const DeviceSpeed speed{kFlops, kHalfFlops, kBytes, kLaunch};
  const PassWork arithmetic{1e9, 10, 0, 1, false};
  EXPECT_DOUBLE_EQ(arithmetic.seconds(3, DType::f32, speed), 3e-3 + kLaunch);
  EXPECT_DOUBLE_EQ(arithmetic.seconds(4, DType::f16, speed), 1e-3 + kLaunch);
  const PassWork memory{1, 1e6, 5e6, 2, false};
  EXPECT_DOUBLE_EQ(memory.seconds(3, DType::f32, speed), 4 * 8e6 / kBytes + 2 * kLaunch);
  EXPECT_DOUBLE_EQ(memory.seconds(3, DType::f16, speed), 2 * 8e6 / kBytes + 2 * kLaunch);
  DeviceSpeed winograd = speed;
  winograd.window_flops = 2 * kFlops;
  EXPECT_DOUBLE_EQ((PassWork{1e9, 10, 0, 1, true}).seconds(2, DType::f32, winograd), 1e-3 + kLaunch);
  DeviceSpeed cached = speed;
  cached.cache_bytes = 1e6;
  cached.cache_bytes_per_second = 2 * kBytes;
  EXPECT_DOUBLE_EQ((PassWork{0, 1e5, 0, 1, false}).seconds(1, DType::f32, cached),
                   4e5 / (2 * kBytes) + kLaunch);
  EXPECT_DOUBLE_EQ((PassWork{0, 1e6, 0, 1, false}).seconds(1, DType::f32, cached), 4e6 / kBytes + kLaunch);
}

TEST(LayerWork, ForwardAddsUpToTheNetworksArithmetic) {
  for (const char* name : {"lenet", "alexnet", "googlenet", "resnet50"}) {
    const Graph graph = network(name);
    double flops = 0;
    const std::vector<LayerWork> works = layer_works(graph);
    for (std::size_t i = 0; i < works.size(); ++i) {
      if (!graph.auxiliary(static_cast<int>(i))) flops += works[i].forward.flops;
    }
    EXPECT_EQ(flops, 2.0 * static_cast<double>(graph.macs())) << name;
  }
}

TEST(CostModel, OneRankDoesNotCommunicate) {
  const Graph graph = network("resnet50");
  const StepCost step = CostModel(graph, request_of(64)).cost({DType::f32, 0, {}, 64});
  EXPECT_EQ(step.communicate, 0);
  EXPECT_EQ(step.exposed, 0);
  EXPECT_NEAR(step.total, step.input + step.forward + step.backward + step.update, 1e-9);
  EXPECT_GT(step.backward, step.forward);
}

TEST(CostModel, ReadsAndWritesTheParametersInTheUpdate) {
  const Graph graph = network("alexnet");
  PlanRequest request = request_of(64);
  request.speed.launch_seconds = 0;
  const double parameters = static_cast<double>(graph.parameters_training());
  const auto update = [&](DType type, int shards) {
    return CostModel(graph, request).cost({type, 0, {}, 64, shards}).update * kBytes / parameters;
  };
  EXPECT_NEAR(update(DType::f32, 1), 20, 0.01);  // w, v read and written, g read
  EXPECT_NEAR(update(DType::f16, 1), 22, 0.01);  // and the copy written
  EXPECT_NEAR(update(DType::f32, 4), 5, 0.01);
  request.speed.half_gradients = true;
  EXPECT_NEAR(update(DType::f16, 1), 20, 0.01);
  request.momentum = false;
  EXPECT_NEAR(update(DType::f32, 1), 12, 0.01);
}

TEST(CostModel, RecomputeCostsTheForwardPassesOfItsLayersAgain) {
  const Graph graph = network("resnet20");
  const CostModel model(graph, request_of(128));
  const StepCost kept = model.cost({DType::f32, 0, {}, 128});
  std::vector<int> all(graph.layers().size());
  std::iota(all.begin(), all.end(), 0);
  const StepCost again = model.cost({DType::f32, 0, all, 128});
  EXPECT_NEAR(again.recompute, kept.forward, 1e-12);
  EXPECT_NEAR(again.total, kept.total + kept.forward, 1e-12);
}

TEST(CostModel, SmallerMicroBatchesLessWorkspaceAndMoreRecomputeNeverGainTime) {
  for (const char* name : {"lenet", "resnet20", "alexnet"}) {
    const Graph graph = network(name);
    for (const int ranks : {1, 4}) {
      PlanRequest request = request_of(256, ranks);
      request.workspace_bytes = 64 << 20;
      const CostModel model(graph, request);
      const std::int64_t share = share_of(request);
      double before = 0;
      for (std::int64_t parts = 1; parts <= share; ++parts) {
        const double seconds = model.seconds({DType::f32, 64 << 20, {}, (share + parts - 1) / parts});
        EXPECT_GE(seconds, before * (1 - 1e-12)) << name << " in parts: " << parts;
        before = seconds;
      }
      EXPECT_LT(model.seconds({DType::f32, 64 << 20, {}, share}), model.seconds({DType::f32, 0, {}, share}));
      const double kept = model.seconds({DType::f32, 64 << 20, {}, share});
      for (const RecomputeSet& set : recompute_sets(graph))
        EXPECT_GE(model.seconds({DType::f32, 64 << 20, set.layers, share}), kept);
    }
  }
}

TEST(CostModel, BetterDevicesAndLinksAreNeverSlower) {
  const Graph graph = network("googlenet");
  const PlanRequest request = request_of(1024, 16);
  const Way way{DType::f16, 0, {}, 16};
  const double seconds = CostModel(graph, request).seconds(way);
  for (double DeviceSpeed::*rate : {&DeviceSpeed::half_flops, &DeviceSpeed::bytes_per_second}) {
    PlanRequest better = request;
    better.speed.*rate *= 2;
    EXPECT_LT(CostModel(graph, better).seconds(way), seconds);
  }
  PlanRequest better = request;
  better.links.between.bytes_per_second *= 2;
  EXPECT_LE(CostModel(graph, better).seconds(way), seconds);
  better.links.inside.latency_seconds /= 2;
  EXPECT_LE(CostModel(graph, better).seconds(way), seconds);
}

TEST(CostModel, HidesCommunicationBehindBackwardWhereTheLibraryCan) {
  const Graph graph = network("resnet50");
  PlanRequest request = request_of(512, 8);
  const Way way{DType::f32, 0, {}, 64};
  const StepCost beside = CostModel(graph, request).cost(way);
  EXPECT_GT(beside.communicate, 0);
  EXPECT_LT(beside.exposed, beside.communicate);
  EXPECT_GE(beside.exposed, 0);
  EXPECT_LE(beside.exposed, beside.communicate);
  request.links.library = Interconnect::Library::pairs;
  const StepCost after = CostModel(graph, request).cost(way);
  EXPECT_NEAR(after.exposed, after.communicate, 1e-9) << "kernels and messages share the cores";
}

TEST(CostModel, ShardedOptimizersMoveAsManyBytesAndUpdateLess) {
  const Graph graph = network("alexnet");
  const CostModel model(graph, request_of(512, 8));
  const StepCost whole = model.cost({DType::f32, 0, {}, 64, 1});
  const StepCost sharded = model.cost({DType::f32, 0, {}, 64, 8});
  EXPECT_NEAR(sharded.communicate, whole.communicate, 0.05 * whole.communicate);
  EXPECT_LT(sharded.update, whole.update / 4);
}

TEST(CostModel, SharedStatisticsAreWaitedForInEveryMicroBatch) {
  const Graph graph = network("resnet20");
  PlanRequest request = request_of(512, 8);
  const double apart = CostModel(graph, request).seconds({DType::f32, 0, {}, 64});
  request.shared_statistics = true;
  const CostModel model(graph, request);
  const double together = model.seconds({DType::f32, 0, {}, 64});
  EXPECT_GT(together, apart + 19 * 2 * 2 * 7 * 5e-6 * 0.99);  // layers, ways, latencies of a ring
}

TEST(CostModel, TakesMeasuredLayersInPlaceOfTheRoofline) {
  const Graph graph = parse_network(kTwoLayers, "two.toml");
  const PlanRequest request = request_of(10);
  MeasuredLayers measured{{DType::f32, {0, 0, 3e-3, 0}}};
  const StepCost step = CostModel(graph, request, measured).cost({DType::f32, 0, {}, 10});
  const StepCost roofline = CostModel(graph, request).cost({DType::f32, 0, {}, 10});
  EXPECT_GT(step.forward, 10e-3);
  EXPECT_LT(step.forward, 10e-3 + roofline.forward);
  EXPECT_GT(step.backward, 20e-3);
  EXPECT_EQ(CostModel(graph, request, measured).cost({DType::bf16, 0, {}, 10}).total,
            CostModel(graph, request).cost({DType::bf16, 0, {}, 10}).total);
}

TEST(Scaling, IsPerfectWithoutWaitingAndLessOtherwise) {
  const Graph graph = network("resnet50");
  PlanRequest request = request_of(2048, 64);
  const Way way{DType::f32, 0, {}, 32};
  const CostModel model(graph, request);
  const ScalingPoint one = same_share(model, way, 1);
  EXPECT_DOUBLE_EQ(one.efficiency, 1);
  EXPECT_EQ(one.batch, 32);
  double before = 1;
  for (const std::int64_t ranks : {2, 8, 16, 64, 512}) {
    const ScalingPoint point = same_share(model, way, ranks);
    EXPECT_EQ(point.batch, 32 * ranks);
    EXPECT_LE(point.efficiency, before);
    EXPECT_NEAR(point.efficiency,
                point.images_per_second / static_cast<double>(ranks) / one.images_per_second, 1e-9);
    before = point.efficiency;
    EXPECT_EQ(same_batch(model, way, ranks).batch, 2048);
    EXPECT_LE(same_batch(model, way, ranks).efficiency, 1 + 1e-9);
  }
  request.links = {Interconnect::Library::nccl, {0, 1e30}, {0, 1e30}, 8};
  EXPECT_NEAR(same_share(CostModel(graph, request), way, 512).efficiency, 1, 1e-6);
}

TEST(Scaling, MoreRanksThanSamplesAreOfNoUse) {
  const Graph graph = network("lenet");
  const CostModel model(graph, request_of(16, 4));
  const ScalingPoint all = same_batch(model, {DType::f32, 0, {}, 4}, 16);
  const ScalingPoint more = same_batch(model, {DType::f32, 0, {}, 4}, 64);
  EXPECT_GE(more.step.total, all.step.total);
}

}  // namespace
}  // namespace convoy
