#include <gtest/gtest.h>

#include "comm/device_collectives.h"
#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"
#include "tests/layers/cuda/host_backend.h"

// Collectives through the host, of values that it cannot touch itself.
namespace convoy {
namespace {

/// A value that is no sum of few: its sums are rounded.
template <class T>
T value(int rank, std::int64_t i) {
  return T(1.F / static_cast<float>(1 + (i * 31 + rank * 17) % 101));
}

template <class T>
void check(Device& device, Communicator& comm, DType type) {
  constexpr std::int64_t kSlice = 64;
  const std::int64_t count = kSlice * comm.size();
  const std::int64_t bytes = count * size_of(type);
  const std::unique_ptr<DeviceCollectives> collectives = make_staged_collectives(device, comm);
  std::vector<T> mine;
  std::vector<float> sums;  // in fp32, in the order of the ranks, rounded once
  for (std::int64_t i = 0; i < count; ++i) {
    mine.push_back(value<T>(comm.rank(), i));
    float sum = 0;
    for (int rank = 0; rank < comm.size(); ++rank) sum += float(value<T>(rank, i));
    sums.push_back(float(T(sum)));
  }
  const Arena whole(device, bytes);
  const Arena slices(device, bytes);
  for (int round = 0; round < 3; ++round) {
    device.copy_in(whole.at(0), mine.data(), bytes);
    device.copy_in(slices.at(0), mine.data(), bytes);
    collectives->start_all_reduce(0, whole.at(0), count, type, "sum");
    collectives->start_reduce_scatter(1, slices.at(0), kSlice, type, "scatter");
    collectives->wait(1);
    std::vector<T> found(static_cast<std::size_t>(count));
    device.copy_out(found.data(), slices.at(0), bytes);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (i / kSlice == comm.rank()) {
        EXPECT_EQ(float(found[at]), sums[at]);
      }
    }
    collectives->start_all_gather(1, slices.at(0), kSlice * size_of(type), "gather");
    collectives->wait(0);
    collectives->wait(1);
    for (const Arena* memory : {&whole, &slices}) {
      device.copy_out(found.data(), memory->at(0), bytes);
      EXPECT_EQ(std::vector<float>(found.begin(), found.end()), sums) << name_of(type);
    }
  }
}

TEST(StagedCollectives, AddUpInFp32AndRoundOnce) {
  for (const int ranks : {1, 2, 3, 4}) {
    run_ranks(ranks, [](Communicator& comm) {
      HostAsGpu device;
      check<float>(device, comm, DType::f32);
      check<Float16>(device, comm, DType::f16);
      check<BFloat16>(device, comm, DType::bf16);
      CpuDevice processor;
      check<float>(processor, comm, DType::f32);
    });
  }
}

}  // namespace
}  // namespace convoy
