#include "trainer/planner/device_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/error.h"
#include "layers/core/text.h"
#include "layers/graph/read_layer.h"
#include "layers/graph/toml_table.h"

namespace convoy {
namespace {

/// Shares of the peaks that training reaches, fitted to published figures of ResNet-50 and VGG-16
/// (docs/measurements/2026-11-22-cost-model.md): of tensor cores; of other arithmetic, and of that in 3×3
/// convolutions, where Winograd's algorithm does more than what is counted; of memory.
constexpr double kTensorShare = 0.4;
constexpr double kPlainShare = 0.7;
constexpr double kWindowShare = 1.2;
constexpr double kMemoryShare = 0.8;

constexpr double kMostFlops = 1e6;      // TFLOP/s
constexpr double kMostBandwidth = 1e6;  // GB/s
constexpr double kMostMicroseconds = 1e6;

/// A size as in memory.limit, or a number of bytes.
std::int64_t size(TomlTable& table, std::string_view key) {
  const toml::node* node = table.node(key);
  if (node != nullptr && node->is_integer())
    return *table.integer(key, 0, std::numeric_limits<std::int64_t>::max());
  const std::string text = required(table, key, table.string(key));
  try {
    return parse_bytes(text);
  } catch (const Error& problem) {
    table.refuse(key, problem.what());
  }
}

}  // namespace

class DeviceTableReader {
 public:
  DeviceTableReader(const toml::table& root, const std::string& file) : root_(root, file, "device table") {}

  DeviceTable read() {
    DeviceTable table;
    TomlTable nccl = inner("nccl");
    table.nccl_channel_bytes_ = size(nccl, "channel");
    nccl.finish();
    for_each("fabric", [&](const std::string& name, TomlTable& row) {
      table.fabrics_.push_back(read_fabric(name, row));
    });
    for (const Fabric& fabric : table.fabrics_) fabrics_.push_back(fabric.name);
    for_each("device", [&](const std::string& name, TomlTable& row) {
      table.devices_.push_back(read_device(name, row));
    });
    root_.finish();
    const auto by_year = [](const KnownDevice& a, const KnownDevice& b) {
      return std::tuple(a.year, a.memory_bytes, a.name) < std::tuple(b.year, b.memory_bytes, b.name);
    };
    std::sort(table.devices_.begin(), table.devices_.end(), by_year);
    return table;
  }

 private:
  const toml::table& section(std::string_view key) {
    const toml::node* found = root_.node(key);
    const toml::node* node = required(root_, key, found == nullptr ? std::nullopt : std::optional(found));
    if (!node->is_table()) root_.refuse(key, fmt::format("expected a table, found {}", type_word(*node)));
    return *node->as_table();
  }
  TomlTable inner(std::string_view key) { return {section(key), root_.file(), fmt::format("[{}]", key)}; }

  /// Calls `read` with each table [section.name].
  template <class Read>
  void for_each(std::string_view key, Read read) {
    const toml::table& rows = section(key);
    for (const auto& [name, row] : rows) {
      const std::string full = fmt::format("[{}.{}]", key, name.str());
      if (!row.is_table()) {
        fail(ExitCode::usage, "{}{}: expected a table, found {}", mark_of(row, root_.file()).prefix(), full,
             type_word(row));
      }
      TomlTable table(*row.as_table(), root_.file(), full);
      read(std::string(name.str()), table);
      table.finish();
    }
  }

  static Fabric read_fabric(const std::string& name, TomlTable& row) {
    return {name, 1e-6 * required(row, "latency_us", row.number("latency_us", 0, kMostMicroseconds)),
            1e9 * required(row, "gbytes_per_second", row.number("gbytes_per_second", 1e-3, kMostBandwidth))};
  }

  KnownDevice read_device(const std::string& name, TomlTable& row) const {
    if (name == "cpu") {
      fail(ExitCode::usage, "{}{}: the name is taken: \"cpu\" is the processor of the machine at hand",
           row.mark().prefix(), row.what());
    }
    const auto tera = [&](const char* key) { return 1e12 * row.number(key, 0, kMostFlops).value_or(0); };
    KnownDevice device;
    device.name = name;
    device.full_name = required(row, "name", row.string("name"));
    device.year = static_cast<int>(required(row, "year", row.integer("year", 2000, 2100)));
    device.capability = required(row, "capability", row.string("capability"));
    device.memory_bytes = size(row, "memory");
    if (device.memory_bytes == 0) row.refuse("memory", "a device without memory");
    device.tf32 = tera("tf32");
    device.fp16 = tera("fp16");
    device.bf16 = tera("bf16");
    device.fp32 = 1e12 * required(row, "fp32", row.number("fp32", 1e-3, kMostFlops));
    device.share = row.number("share", 1e-3, 1).value_or(0);
    device.bytes_per_second =
        1e9 * required(row, "gbytes_per_second", row.number("gbytes_per_second", 1e-3, kMostBandwidth));
    device.pcie = required(row, "pcie", row.word("pcie", fabrics_));
    device.nvlink = row.word("nvlink", fabrics_).value_or("");
    device.launch_seconds = 1e-6 * required(row, "launch_us", row.number("launch_us", 0, kMostMicroseconds));
    device.context_bytes = size(row, "context");
    device.libraries_bytes = size(row, "libraries");
    device.nccl_channels = required(row, "nccl_channels", row.integer("nccl_channels", 0, 1024));
    return device;
  }

  TomlTable root_;
  std::vector<std::string> fabrics_;
};

std::vector<DType> KnownDevice::types() const {
  std::vector<DType> types{DType::f32};
  if (fp16 > 0) types.push_back(DType::f16);
  if (bf16 > 0) types.push_back(DType::bf16);
  return types;
}

DeviceSpeed KnownDevice::speed(bool rounded) const {
  const double half = std::max(fp16, bf16);
  // More than twice the speed of fp32 is tensor cores'.
  const bool tensor = half > 2 * fp32;
  DeviceSpeed speed;
  speed.flops = (share > 0 ? share : kPlainShare) * fp32;
  speed.window_flops = share > 0 ? 0 : kWindowShare * fp32;
  speed.half_flops = half > 0 ? (tensor ? kTensorShare : kPlainShare) * half : speed.flops;
  if (rounded && tf32 > 0) {
    speed.flops = kTensorShare * tf32;
    speed.window_flops = 0;
  }
  speed.bytes_per_second = kMemoryShare * bytes_per_second;
  speed.launch_seconds = launch_seconds;
  speed.half_gradients = true;
  return speed;
}

DeviceTable DeviceTable::read(const std::string& path) {
  const toml::table root = parse_toml_file(path);
  return DeviceTableReader(root, path).read();
}

DeviceTable DeviceTable::parse(std::string_view text, const std::string& file_name) {
  const toml::table root = parse_toml_text(text, file_name);
  return DeviceTableReader(root, file_name).read();
}

std::vector<std::string> DeviceTable::device_names() const {
  std::vector<std::string> names;
  for (const KnownDevice& device : devices_) names.push_back(device.name);
  return names;
}

const KnownDevice* DeviceTable::find(std::string_view name) const {
  const auto found = std::find_if(devices_.begin(), devices_.end(),
                                  [&](const KnownDevice& device) { return device.name == name; });
  return found == devices_.end() ? nullptr : &*found;
}

const Fabric* DeviceTable::find_fabric(std::string_view name) const {
  const auto found = std::find_if(fabrics_.begin(), fabrics_.end(),
                                  [&](const Fabric& fabric) { return fabric.name == name; });
  return found == fabrics_.end() ? nullptr : &*found;
}

std::vector<std::string> DeviceTable::fabric_names() const {
  std::vector<std::string> names;
  for (const Fabric& fabric : fabrics_) names.push_back(fabric.name);
  return names;
}

void DeviceTable::plan_for(const KnownDevice& device, PlanRequest& request) const {
  request.device = device.name;
  request.speed = device.speed(request.tf32);
  request.links.library = Interconnect::Library::nccl;
  request.links.inside = find_fabric(device.fabric())->link();
  request.overhead_bytes = device.context_bytes + device.libraries_bytes;
  request.collective_bytes = collective_bytes(device, request.ranks);
}

}  // namespace convoy
