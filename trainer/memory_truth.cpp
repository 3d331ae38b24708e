#include "trainer/memory_truth.h"

namespace convoy {
namespace {

boost::json::object json_of(const MemoryTruth::Line& line) {
  return {{"projected", line.projected},
          {"measured", line.measured ? boost::json::value(*line.measured) : boost::json::value(nullptr)}};
}

}  // namespace

boost::json::object MemoryTruth::json() const {
  return {{"arena", json_of(arena)}, {"process", json_of(process)}, {"device", json_of(device)}};
}

MemoryTruth memory_truth(const Plan& plan, const Device& device, std::int64_t own_bytes, int sharers) {
  MemoryTruth truth;
  truth.arena = {plan.arena_bytes(), device.peak_bytes() - own_bytes};
  truth.process.projected = plan.request.overhead_bytes;
  truth.device.projected = plan.projected_bytes();
  if (const std::optional<std::int64_t> taken = device.taken_bytes(); taken && sharers == 1) {
    truth.device.measured = taken;
    truth.process.measured = *taken - (device.used_bytes() - own_bytes);
  }
  return truth;
}

}  // namespace convoy
