#include "trainer/repeated_work.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "layers/device/cuda/cuda_device.h"
#include "tests/layers/device/cuda/fake_cuda.h"

// On CUDA's streams and graphs as fake_cuda has them.
namespace convoy {
namespace {

TEST(RepeatedWork, IsDoneThenRecordedThenPlayed) {
  CudaDevice device(0);
  RepeatedWork repeats(device);
  int done = 0;
  int puts = 0;
  const auto work = [&] {
    ++puts;
    fake_cuda::put(device.compute().get(), [&] { ++done; });
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(repeats.run(7, work), i > 0);
  device.synchronize();
  EXPECT_EQ(done, 5);
  EXPECT_EQ(puts, 2);
}

TEST(RepeatedWork, LeavesADeviceThatWorksWhereItFailsAmidARecording) {
  CudaDevice device(0);
  RepeatedWork repeats(device);
  const auto fails = [&] {
    if (device.recording()) throw std::runtime_error("a rank was lost");
  };
  repeats.run(0, fails);
  EXPECT_THROW(repeats.run(0, fails), std::runtime_error);
  EXPECT_FALSE(device.recording());
  int done = 0;
  fake_cuda::put(device.compute().get(), [&] { ++done; });
  device.synchronize();
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace convoy
