#include "layers/device/cuda/cuda_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "layers/core/error.h"
#include "tests/layers/device/cuda/fake_cuda.h"

// What CudaDevice does with streams, events and graphs, on those that fake_cuda has.
namespace convoy {
namespace {

class Values {
 public:
  Values(CudaDevice& device, std::size_t count)
      : device_(device), count_(count), memory_(device.allocate(static_cast<std::int64_t>(count * 4))) {}
  ~Values() { device_.release(memory_, static_cast<std::int64_t>(count_ * 4)); }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  int* get() const { return static_cast<int*>(memory_); }
  std::int64_t bytes() const { return static_cast<std::int64_t>(count_ * 4); }
  std::vector<int> read() const {
    std::vector<int> values(count_);
    device_.copy_out(values.data(), memory_, bytes());
    return values;
  }
  /// As a kernel does it.
  void add(int what) const {
    fake_cuda::put(device_.compute().get(), [p = get(), count = count_, what] {
      for (std::size_t i = 0; i < count; ++i) p[i] += what;
    });
  }

 private:
  CudaDevice& device_;
  std::size_t count_;
  void* memory_;
};

class CudaDeviceTest : public ::testing::Test {
 protected:
  CudaDeviceTest() { fake_cuda::set_delay(200); }
  ~CudaDeviceTest() override { fake_cuda::set_delay(0); }
  CudaDevice device_{0};
};

TEST_F(CudaDeviceTest, GivesZeroedMemoryBackToTheLastByte) {
  const std::int64_t before = fake_cuda::allocated(0);
  {
    const Values values(device_, 100);
    EXPECT_EQ(values.read(), std::vector<int>(100, 0));
    EXPECT_GT(fake_cuda::allocated(0), before);
  }
  EXPECT_EQ(fake_cuda::allocated(0), before);
  CudaDevice limited(1, 1000);
  EXPECT_THROW(limited.allocate(1001), Error);
}

TEST_F(CudaDeviceTest, IsNamedByItsPlaceAndItsUuid) {
  EXPECT_EQ(gpu_id(3).bus, "0000:03:00");
  EXPECT_EQ(gpu_id(3).uuid, "00000000-0000-0000-0000-000000000003");
}

TEST_F(CudaDeviceTest, CopiesMoreThanItsStagingHolds) {
  const std::size_t count = (9 << 20) / 4 + 3;
  const Values values(device_, count);
  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  device_.copy_in(values.get(), numbers.data(), values.bytes());
  values.add(1);
  for (int& number : numbers) ++number;
  EXPECT_EQ(values.read(), numbers);
}

TEST_F(CudaDeviceTest, CopiesOutWhatWasThereBesideTheWorkToCome) {
  const Values first(device_, 8);
  const Values second(device_, 8);
  auto* host = static_cast<int*>(device_.allocate_host(32));
  first.add(7);
  const std::unique_ptr<DeviceMark> copied = device_.start_copy_out(host, first.get(), 32);
  second.add(1);
  copied->wait();
  EXPECT_TRUE(copied->done());
  EXPECT_EQ(std::vector<int>(host, host + 8), std::vector<int>(8, 7));
  device_.start_copy_in(second.get(), host, 32);
  EXPECT_EQ(second.read(), std::vector<int>(8, 7));
  device_.release_host(host);
}

// CUDA counts the answer "not yet" as its last error, and launches are checked by that.
TEST_F(CudaDeviceTest, AskingWhetherWorkIsDoneSpoilsNoLaunch) {
  const Values values(device_, 8);
  std::atomic<bool> may_end{false};
  fake_cuda::put(device_.compute().get(), [&] {
    while (!may_end) std::this_thread::yield();
  });
  const std::unique_ptr<DeviceMark> reached = device_.mark();
  const bool done = reached->done();
  EXPECT_NO_THROW(values.add(1));
  may_end = true;
  EXPECT_FALSE(done);
  EXPECT_EQ(values.read(), std::vector<int>(8, 1));
}

// Twenty inputs through one place: each is copied while the one before is worked on, none too early.
TEST_F(CudaDeviceTest, CopiesInputsAheadOnceTheirPlaceIsFree) {
  const Values place(device_, 8);
  const Values sums(device_, 8);
  std::array<int*, 2> host{static_cast<int*>(device_.allocate_host(32)),
                           static_cast<int*>(device_.allocate_host(32))};
  std::array<std::unique_ptr<DeviceMark>, 2> there;
  std::unique_ptr<DeviceMark> taken;
  int sum = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    if (there[i % 2] != nullptr) there[i % 2]->wait();
    std::fill_n(host[i % 2], 8, static_cast<int>(i));
    there[i % 2] = device_.start_copy_ahead(place.get(), host[i % 2], 32, taken.get());
    device_.wait_for(*there[i % 2]);
    fake_cuda::put(device_.compute().get(), [from = place.get(), to = sums.get()] {
      for (int k = 0; k < 8; ++k) to[k] += from[k];
    });
    taken = device_.mark();
    sum += static_cast<int>(i);
  }
  EXPECT_EQ(sums.read(), std::vector<int>(8, sum));
  for (int* memory : host) device_.release_host(memory);
}

TEST_F(CudaDeviceTest, PlaysWhatItRecorded) {
  const Values values(device_, 8);
  const Values copy(device_, 8);
  device_.start_recording();
  EXPECT_TRUE(device_.recording());
  values.add(3);
  device_.copy_within(copy.get(), values.get(), 32);
  const std::unique_ptr<Recording> recording = device_.stop_recording();
  EXPECT_FALSE(device_.recording());
  EXPECT_EQ(values.read(), std::vector<int>(8, 0)) << "recorded, not done";
  for (int i = 0; i < 5; ++i) recording->play();
  values.add(1);
  EXPECT_EQ(values.read(), std::vector<int>(8, 16));
  EXPECT_EQ(copy.read(), std::vector<int>(8, 15));
}

TEST_F(CudaDeviceTest, RefusesMemoryAndLooksAtMarksWhileItRecords) {
  const std::unique_ptr<DeviceMark> mark = device_.mark();
  device_.start_recording();
  EXPECT_THROW(device_.allocate(8), Error);
  EXPECT_THROW(device_.allocate_host(8), Error);
  EXPECT_THROW((void)mark->done(), Error);
  // A watch may, in a thread of its own.
  std::thread([&] {
    device_.make_current();
    EXPECT_NO_THROW(mark->wait());
    EXPECT_TRUE(mark->done());
  }).join();
  (void)device_.stop_recording();
}

TEST_F(CudaDeviceTest, RefusesToWaitWhileItRecords) {
  device_.start_recording();
  try {
    device_.synchronize();
    FAIL() << "waited";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("not permitted when stream is capturing"));
  }
  (void)device_.stop_recording();
}

}  // namespace
}  // namespace convoy
