#include "layers/cpu/cpu_backend.h"
#include "tests/layers/cpu/bench_device.h"

namespace convoy {

BenchDevice make_bench_device(const KernelChoices& choices) {
  return {nullptr, make_cpu_backend(choices), false};
}

}  // namespace convoy
