// Every network of configs/nets, planned for a device that is not here.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "layers/sizes/size_backend.h"
#include "trainer/planner/device_table.h"
#include "trainer/planner/plan_report.h"
#include "trainer/planner/search_plan.h"

namespace convoy {
namespace {

/// Those that can be trained.
std::vector<std::string> networks() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(CONVOY_SOURCE "/configs/nets")) {
    if (read_network(file.path().string()).loss_layer() >= 0) names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class OnGpu : public testing::TestWithParam<std::string> {
 protected:
  OnGpu() {
    request_.samples = 1'281'167;
    request_.batch = 256;
    request_.ranks = 8;
    request_.may_shrink = request_.may_recompute = request_.may_shrink_workspace = true;
  }

  Plan plan(const std::string& name, DType precision) {
    const KnownDevice& device = *table_.find(name);
    const std::unique_ptr<Backend> backend = make_size_backend({device.name, device.types()});
    table_.plan_for(device, request_);
    request_.precision = precision;
    request_.limit_bytes = device.memory_bytes;
    return search_plan(graph_, request_, *backend);
  }

  const Graph graph_ = read_network(CONVOY_SOURCE "/configs/nets/" + GetParam() + ".toml");
  const DeviceTable table_ = DeviceTable::read(CONVOY_SOURCE "/configs/devices.toml");
  PlanRequest request_;
};

TEST_P(OnGpu, FitsTightlyAndTakesLessInFp16) {
  const Plan full = plan("h100-80gb", DType::f32);
  const Plan half = plan("h100-80gb", DType::f16);
  for (const Plan* one : {&full, &half}) {
    EXPECT_TRUE(one->fits());
    EXPECT_TRUE(action_lines(*one).empty());
    EXPECT_LE(static_cast<double>(one->arena_bytes()), 1.05 * static_cast<double>(one->layout.lower_bound));
    EXPECT_EQ(one->projected_bytes(),
              one->arena_bytes() + one->request.overhead_bytes + one->request.collective_bytes);
  }
  EXPECT_LT(half.arena_bytes(), full.arena_bytes());
}

/// A rank's 32 images on a GPU of 2010, if need be in parts and with recompute.
TEST_P(OnGpu, FitsADeviceOfThreeGigabytes) {
  const Plan old = plan("gtx580-3gb", DType::f32);
  EXPECT_TRUE(old.fits());
  EXPECT_EQ(old.request.precision, DType::f32);
}

INSTANTIATE_TEST_SUITE_P(Networks, OnGpu, testing::ValuesIn(networks()),
                         [](const auto& net) { return net.param; });

}  // namespace
}  // namespace convoy
