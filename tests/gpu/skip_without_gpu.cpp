#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "layers/device/cuda/cuda_devices.h"

namespace convoy {
namespace {

/// Ends the program at once, with words that ctest takes for a skip, where no GPU is to be had.
class NeedsGpu : public testing::Environment {
 public:
  void SetUp() override {
    const CudaDevices found = list_cuda_devices();
    if (!found.devices.empty()) return;
    std::printf("skipped: no GPU (%s)\n", found.status.c_str());
    std::exit(0);
  }
};

[[maybe_unused]] const testing::Environment* const kNeedsGpu =
    testing::AddGlobalTestEnvironment(new NeedsGpu);

}  // namespace
}  // namespace convoy
