#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/trainer/train_here.h"
#include "tests/trainer/worker_under_test.h"

namespace convoy::test {
namespace {

// What a Program asks of the backend (layouts, changes of type, passes) it must have for every network.
TEST(GpuNetworks, CanBeBoundInEveryPrecision) {
  const char* bundle = std::getenv("CONVOY_TEST_SOURCE");
  const std::string networks = std::string(bundle != nullptr ? bundle : CONVOY_SOURCE) + "/configs/nets";
  const std::unique_ptr<Communicator> comm = make_single();
  int bound = 0;
  for (const auto& file : std::filesystem::directory_iterator(networks)) {
    const Graph graph = read_network(file.path().string());
    if (graph.loss_layer() < 0) continue;
    for (const DType precision : {DType::f32, DType::f16}) {
      SCOPED_TRACE(file.path().string());
      const Worker worker = worker_under_test(*comm);
      PlanRequest request;
      request.samples = request.batch = 4;
      request.micro_batch = 2;  // gradients add up
      request.precision = precision;
      request.limit_bytes = std::int64_t{1} << 40;
      Plan plan = make_plan(graph, request, *worker.backend);
      const auto channels = static_cast<std::size_t>(graph.input().channels);
      const PixelScale scale{std::vector<float>(channels, 128), std::vector<float>(channels, 64)};
      const Executor executor(std::move(plan), graph, *worker.backend, *worker.device, *comm, {}, scale);
      ++bound;
    }
  }
  EXPECT_GT(bound, 20);
}

}  // namespace
}  // namespace convoy::test
