#include "trainer/memory_truth.h"

#include <gtest/gtest.h>

#include "layers/device/cpu/cpu_device.h"

namespace convoy::test {
namespace {

/// A device of which the process has 500 bytes beside what is allocated.
class Measured : public CpuDevice {
 public:
  std::optional<std::int64_t> taken_bytes() const override { return used_bytes() + 500; }
};

Plan plan_of(std::int64_t arena, std::int64_t overhead) {
  Plan plan;
  plan.layout.bytes = arena;
  plan.request.overhead_bytes = overhead;
  return plan;
}

TEST(MemoryTruth, TellsArenaProcessAndDeviceApart) {
  Measured device;
  const Arena own(device, 64);
  const Arena arena(device, 4096);
  const MemoryTruth truth = memory_truth(plan_of(4096, 600), device, own.bytes(), 1);
  EXPECT_EQ(truth.arena.projected, 4096);
  EXPECT_EQ(truth.arena.measured, 4096);
  EXPECT_EQ(truth.process.projected, 600);
  EXPECT_EQ(truth.process.measured, 564) << "with what the backend has of its own";
  EXPECT_EQ(truth.device.projected, 4696);
  EXPECT_EQ(truth.device.measured, 4660);
}

TEST(MemoryTruth, SaysNothingWhereRanksShareADeviceOrItCannotBeAsked) {
  Measured shared;
  EXPECT_FALSE(memory_truth(plan_of(1, 1), shared, 0, 2).device.measured);
  CpuDevice processor;
  const MemoryTruth truth = memory_truth(plan_of(0, 0), processor, 0, 1);
  EXPECT_TRUE(truth.arena.measured);
  EXPECT_FALSE(truth.process.measured);
  EXPECT_EQ(boost::json::serialize(truth.json().at("device")), R"({"projected":0,"measured":null})");
}

}  // namespace
}  // namespace convoy::test
