#include <gtest/gtest.h>

#include "layers/cuda/cuda_backend.h"
#include "layers/device/cuda/cuda_device.h"
#include "tests/layers/cpu/bench_device.h"

namespace convoy {
namespace {

/// One GPU for all benches: making its handles anew for each would take longer than the tests.
BenchDevice& shared() {
  static BenchDevice device;
  return device;
}

/// Gives it back before CUDA's libraries are taken down.
class GivesBack : public testing::Environment {
 public:
  void TearDown() override {
    shared().backend.reset();
    shared().device.reset();
  }
};

[[maybe_unused]] const testing::Environment* const kGivesBack =
    testing::AddGlobalTestEnvironment(new GivesBack);

}  // namespace

BenchDevice make_bench_device(const KernelChoices& choices) {
  if (shared().backend == nullptr) {
    auto device = std::make_shared<CudaDevice>(0);
    shared() = {device, make_cuda_backend(*device), true};
  }
  shared().backend->choose_kernels(choices);
  return shared();
}

}  // namespace convoy
