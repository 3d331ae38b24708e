#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/planner/plan.h"

namespace convoy {

/// A device that one may plan for without having it. Peaks are those of the vendor's data sheet, dense; 0
/// where it has no such arithmetic.
struct KnownDevice {
  std::string name;       ///< "h100-80gb"
  std::string full_name;  ///< "NVIDIA H100 SXM5"
  int year = 0;
  std::string capability;                         ///< of CUDA: "9.0"
  std::int64_t memory_bytes = 0;                  ///< all that the driver gives
  double fp32 = 0, tf32 = 0, fp16 = 0, bf16 = 0;  ///< FLOP/s
  double share = 0;                               ///< of fp32 that training reaches; 0: the usual
  double bytes_per_second = 0;                    ///< of its memory
  std::string pcie, nvlink;                       ///< names of fabrics; nvlink "" where it has none
  double launch_seconds = 0;
  std::int64_t context_bytes = 0;    ///< of a process's context
  std::int64_t libraries_bytes = 0;  ///< handles of libraries, and the kernels that they load
  std::int64_t nccl_channels = 0;    ///< of a ring in one host

  /// The types that activations and weights may have: fp32, and the half types it computes with.
  std::vector<DType> types() const;
  /// Peaks are not reached: the shares that training gets are taken. With `rounded` fp32 products are those
  /// of TF32, where the device has it.
  DeviceSpeed speed(bool rounded = false) const;
  /// What joins devices of one host: NVLink where there is.
  const std::string& fabric() const { return nvlink.empty() ? pcie : nvlink; }
};

/// What joins devices: a message of n bytes takes latency + n / bytes_per_second, in one direction.
struct Fabric {
  std::string name;  ///< "nvlink4"
  double latency_seconds = 0;
  double bytes_per_second = 0;
  Link link() const { return {latency_seconds, bytes_per_second}; }
};

/// configs/devices.toml.
class DeviceTable {
 public:
  /// Errors are Error(usage) with file, line, column and key.
  static DeviceTable read(const std::string& path);
  static DeviceTable parse(std::string_view text, const std::string& file_name);

  const std::vector<KnownDevice>& devices() const { return devices_; }
  const std::vector<Fabric>& fabrics() const { return fabrics_; }
  std::int64_t nccl_channel_bytes() const { return nccl_channel_bytes_; }
  std::vector<std::string> device_names() const;
  std::vector<std::string> fabric_names() const;

  /// Null when there is none of that name.
  const KnownDevice* find(std::string_view name) const;
  const Fabric* find_fabric(std::string_view name) const;

  /// Bytes of NCCL's buffers on each of so many such devices.
  std::int64_t collective_bytes(const KnownDevice& device, int ranks) const {
    return ranks > 1 ? device.nccl_channels * nccl_channel_bytes_ : 0;
  }

  /// Makes the request one for such devices, a rank on each, in one host: speed, what joins them, and what
  /// lies outside of the arena. The limit is the caller's.
  void plan_for(const KnownDevice& device, PlanRequest& request) const;

 private:
  friend class DeviceTableReader;
  std::vector<KnownDevice> devices_;  ///< the oldest first
  std::vector<Fabric> fabrics_;
  std::int64_t nccl_channel_bytes_ = 0;
};

}  // namespace convoy
