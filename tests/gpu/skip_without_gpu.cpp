#include <cuda_runtime_api.h>
#include <gtest/gtest.h>
#include <unistd.h>

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

/// Ends the program in the test that left the GPU failed, since all after it would fail too, or that takes
/// longer than CONVOY_TEST_SECONDS: run.sh begins again with the tests after it.
class EndsInTheTestThatFailed : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override {
    if (const char* seconds = std::getenv("CONVOY_TEST_SECONDS"))
      (void)alarm(static_cast<unsigned>(std::atoi(seconds)));
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    (void)alarm(0);
    const cudaError_t state = cudaDeviceSynchronize();
    if (state == cudaSuccess) return;
    std::printf("%s.%s left the GPU failed: %s\n", test.test_suite_name(), test.name(),
                cudaGetErrorString(state));
    std::fflush(stdout);
    std::_Exit(EXIT_FAILURE);
  }
};

[[maybe_unused]] const bool kEnds = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new EndsInTheTestThatFailed);
  return true;
}();

}  // namespace
}  // namespace convoy
