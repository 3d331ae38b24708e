#include "tests/layers/cpu/bench_device.h"
#include "tests/layers/cuda/host_backend.h"
#include "tests/layers/cuda/pretended_libraries.h"

namespace convoy {

BenchDevice make_bench_device(const KernelChoices& choices) {
  static const std::shared_ptr<Device> device = std::make_shared<HostAsGpu>();
  static const std::shared_ptr<Backend> backend =
      make_backend_with_libraries(*device, {.kernels = {"first", "second"}, .scratch = 64});
  backend->choose_kernels(choices);
  return {nullptr, backend, true};
}

}  // namespace convoy
