#include "tests/layers/cpu/bench_device.h"
#include "tests/layers/cuda/host_backend.h"

namespace convoy {

BenchDevice make_bench_device(const KernelChoices&) {
  static const std::shared_ptr<Device> device = std::make_shared<HostAsGpu>();
  static const std::shared_ptr<Backend> backend = make_host_backend(*device);
  return {nullptr, backend, true};
}

}  // namespace convoy
