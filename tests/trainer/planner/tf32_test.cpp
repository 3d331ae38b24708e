#include <gtest/gtest.h>

#include "layers/sizes/size_backend.h"
#include "trainer/planner/cost_model.h"
#include "trainer/planner/device_table.h"
#include "trainer/planner/plan.h"
#include "trainer/planner/plan_report.h"

namespace convoy {
namespace {

class Tf32 : public ::testing::Test {
 protected:
  PlanRequest request(bool tf32) const {
    PlanRequest made;
    made.samples = made.batch = 64;
    made.limit_bytes = std::int64_t{1} << 40;
    made.tf32 = tf32;
    table_.plan_for(*table_.find("a100-80gb"), made);
    return made;
  }
  DeviceTable table_ = DeviceTable::read(CONVOY_SOURCE "/configs/devices.toml");
  Graph graph_ = read_network(CONVOY_SOURCE "/configs/nets/vgg16.toml");
  std::unique_ptr<Backend> backend_ = make_size_backend({"a100", {DType::f32, DType::f16}, true});
};

TEST_F(Tf32, TakesTheBytesOfFp32AndItsName) {
  const Plan strict = make_plan(graph_, request(false), *backend_);
  const Plan rounded = make_plan(graph_, request(true), *backend_);
  EXPECT_EQ(rounded.projected_bytes(), strict.projected_bytes());
  EXPECT_EQ(hash_of(rounded.program, *backend_), hash_of(strict.program, *backend_));
  EXPECT_EQ(precision_name(strict.request), "fp32");
  EXPECT_EQ(precision_name(rounded.request), "tf32");
  EXPECT_EQ(plan_json(rounded, graph_).at("precision"), "tf32");
}

// An A100 multiplies 156 TFLOP/s so, against 19.5 of fp32: NVIDIA's data sheet.
TEST_F(Tf32, IsFasterByTheModelButNotThanHalfPrecision) {
  const auto seconds = [&](bool tf32, DType precision) {
    const CostModel model(graph_, request(tf32));
    Way way;
    way.precision = precision;
    way.micro_batch = 64;
    way.workspace_bytes = 64 << 20;
    return model.seconds(way);
  };
  EXPECT_LT(seconds(true, DType::f32), seconds(false, DType::f32) / 2);
  EXPECT_LT(seconds(true, DType::f16), seconds(true, DType::f32));
  EXPECT_EQ(seconds(true, DType::f16), seconds(false, DType::f16));
}

TEST_F(Tf32, IsRefusedWhereThereIsNone) {
  const std::unique_ptr<Backend> old = make_size_backend({"v100-32gb", {DType::f32, DType::f16}});
  try {
    make_plan(graph_, request(true), *old);
    FAIL() << "was not refused";
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "train.precision = \"tf32\": the device \"v100-32gb\" has no fast kernels for it; use fp32 or fp16");
  }
}

}  // namespace
}  // namespace convoy
