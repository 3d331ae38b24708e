#include "trainer/planner/device_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/core/error.h"

namespace convoy {
namespace {

using ::testing::HasSubstr;

const std::string kRow = R"([device.one]
name = "One"
year = 2020
capability = "8.0"
memory = "10GiB"
fp32 = 10
fp16 = 40
gbytes_per_second = 1000
pcie = "pcie4"
launch_us = 3
context = "100MiB"
libraries = 1048576
nccl_channels = 4
)";
const std::string kRest = R"([nccl]
channel = "12MiB"
[fabric]
pcie4 = { latency_us = 5, gbytes_per_second = 24 }
)";

std::string refusal(const std::string& text) {
  try {
    DeviceTable::parse(text, "devices.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(DeviceTable, ReadsEveryColumn) {
  const DeviceTable table = DeviceTable::parse(kRest + kRow, "devices.toml");
  ASSERT_EQ(table.devices().size(), 1U);
  const KnownDevice& one = table.devices()[0];
  EXPECT_EQ(one.memory_bytes, std::int64_t{10} << 30);
  EXPECT_EQ(one.fp16, 40e12);
  EXPECT_EQ(one.tf32, 0);
  EXPECT_EQ(one.bytes_per_second, 1e12);
  EXPECT_EQ(one.libraries_bytes, 1 << 20);
  EXPECT_EQ(one.types(), (std::vector<DType>{DType::f32, DType::f16}));
  EXPECT_DOUBLE_EQ(table.fabrics()[0].latency_seconds, 5e-6);
  EXPECT_EQ(table.find("one"), &one);
  EXPECT_EQ(table.find("two"), nullptr);
}

TEST(DeviceTable, TellsWhatLiesOutsideOfTheArena) {
  const DeviceTable table = DeviceTable::parse(kRest + kRow, "devices.toml");
  PlanRequest request;
  table.plan_for(table.devices()[0], request);
  EXPECT_EQ(request.device, "one");
  EXPECT_EQ(request.overhead_bytes, 101 << 20);
  EXPECT_EQ(request.collective_bytes, 0) << "one rank has nobody to talk to";
  EXPECT_GT(request.speed.half_flops, request.speed.flops);
  request.ranks = 2;
  table.plan_for(table.devices()[0], request);
  EXPECT_EQ(request.collective_bytes, 48 << 20);
}

TEST(DeviceTable, OfTheProgramHasTheDevicesOfFifteenYears) {
  const DeviceTable table = DeviceTable::read(CONVOY_SOURCE "/configs/devices.toml");
  for (const char* name : {"gtx580-3gb", "k40-12gb", "titanx-12gb", "p100-16gb", "gtx1080ti-11gb",
                           "v100-16gb", "v100-32gb", "rtx2080ti-11gb", "t4-16gb", "a100-40gb", "a100-80gb",
                           "rtx3090-24gb", "rtx4090-24gb", "l4-24gb", "h100-80gb", "h200-141gb"}) {
    const KnownDevice* device = table.find(name);
    ASSERT_NE(device, nullptr) << name;
    // The number in a name is that of the box: within a twelfth of what the driver gives.
    const std::string text(name);
    const double gigabytes = std::stod(text.substr(text.rfind('-') + 1));
    EXPECT_NEAR(static_cast<double>(device->memory_bytes), gigabytes * 1e9, gigabytes * 1e9 / 12) << name;
    EXPECT_LT(device->context_bytes + device->libraries_bytes, device->memory_bytes / 5) << name;
  }
  EXPECT_EQ(table.devices().front().name, "gtx580-3gb");
  EXPECT_EQ(table.devices().back().name, "h200-141gb");
  for (const char* name : {"pcie3", "pcie4", "nvlink2", "nvlink3", "nvlink4", "ethernet-10g", "ethernet-25g",
                           "ethernet-100g", "infiniband-hdr", "infiniband-ndr"}) {
    EXPECT_TRUE(std::any_of(table.fabrics().begin(), table.fabrics().end(), [&](const Fabric& fabric) {
      return fabric.name == name;
    })) << name;
  }
}

TEST(DeviceTable, NamesPlaceAndKeyOfAMistake) {
  EXPECT_THAT(refusal(kRest + replaced(kRow, "year = 2020", "year = 20")),
              HasSubstr("devices.toml:7:8: [device.one]: key \"year\": 20 is out of range"));
  EXPECT_THAT(refusal(kRest + replaced(kRow, "fp32 = 10", "fp23 = 10")),
              HasSubstr("key \"fp32\" is missing; is \"fp23\" meant for it?"));
  EXPECT_THAT(refusal(kRest + kRow + "bandwith = 3\n"), HasSubstr("[device.one]: unknown key \"bandwith\""));
  EXPECT_THAT(refusal(kRest + replaced(kRow, "\"pcie4\"", "\"pcie5\"")),
              HasSubstr("key \"pcie\": \"pcie5\" is not known (did you mean \"pcie4\"?)"));
  EXPECT_THAT(refusal(kRest + replaced(kRow, "10GiB", "10Gib")), HasSubstr("key \"memory\""));
  EXPECT_THAT(refusal(kRest + replaced(kRow, "\"10GiB\"", "0")), HasSubstr("a device without memory"));
  EXPECT_THAT(refusal(kRest + replaced(kRow, "[device.one]", "[device.cpu]")),
              HasSubstr("the name is taken"));
  EXPECT_THAT(refusal(kRest), HasSubstr("key \"device\" is missing"));
  EXPECT_THAT(refusal(kRow), HasSubstr("key \"nccl\" is missing"));
  EXPECT_THAT(refusal(kRest + "[device]\none = 3\n"), HasSubstr("[device.one]: expected a table"));
  EXPECT_THAT(refusal(kRest + kRow + "[devices.two]\n"), HasSubstr("unknown key \"devices\""));
  EXPECT_THAT(refusal("x = "), HasSubstr("devices.toml:1"));
}

}  // namespace
}  // namespace convoy
