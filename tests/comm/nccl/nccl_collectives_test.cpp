#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "comm/nccl/nccl_communicator.h"
#include "layers/core/bfloat16.h"
#include "layers/core/float16.h"
#include "layers/device/cuda/cuda_device.h"
#include "tests/comm/nccl/fake_nccl.h"
#include "tests/layers/device/cuda/fake_cuda.h"

// Collectives by NCCL, on streams and an NCCL that are threads of this process.
namespace convoy {
namespace {

using ::testing::HasSubstr;

/// A rank with its device, and memory there of fp32 values.
struct Rank {
  CudaDevice& device;
  Communicator& comm;
  DeviceCollectives& collectives;

  template <class T>
  T* allocate(const std::vector<T>& values) {
    void* memory = device.allocate(std::ssize(values) * static_cast<std::int64_t>(sizeof(T)));
    device.copy_in(memory, values.data(), std::ssize(values) * static_cast<std::int64_t>(sizeof(T)));
    return static_cast<T*>(memory);
  }
  template <class T>
  std::vector<T> take(T* memory, std::int64_t count) {
    std::vector<T> values(static_cast<std::size_t>(count));
    device.copy_out(values.data(), memory, count * static_cast<std::int64_t>(sizeof(T)));
    device.release(memory, count * static_cast<std::int64_t>(sizeof(T)));
    return values;
  }
};

class NcclCollectivesTest : public ::testing::Test {
 protected:
  NcclCollectivesTest() {
    set_faults({});
    fake_cuda::set_delay(100);
  }
  ~NcclCollectivesTest() override {
    set_faults({});
    fake_cuda::set_delay(0);
  }

  void run(int ranks, const std::function<void(Rank)>& body,
           const NcclOptions& options = {60, 0.05, 1 << 16}) {
    const NcclLibrary library = fake_nccl();
    run_ranks(ranks, [&](Communicator& comm) {
      CudaDevice device(comm.rank());
      const std::unique_ptr<DeviceCollectives> collectives =
          make_nccl_collectives(device, comm, options, library);
      body({device, comm, *collectives});
      comm.barrier("end");
    });
  }
  /// The message with which run() ends, which must be of a lost rank.
  std::string lost(int ranks, const std::function<void(Rank)>& body, const NcclOptions& options) {
    try {
      run(ranks, body, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::lost_rank) << error.what();
      return error.what();
    }
    return "nothing was thrown";
  }
};

/// Small integers, exact in every type.
template <class T>
std::vector<T> values_of(int rank, std::int64_t count) {
  std::vector<T> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(T(static_cast<float>((i * 7 + rank * 3) % 23)));
  return values;
}

template <class T>
std::vector<float> sums_of(int ranks, std::int64_t count) {
  std::vector<float> sums(static_cast<std::size_t>(count));
  for (int rank = 0; rank < ranks; ++rank) {
    const std::vector<T> values = values_of<T>(rank, count);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += float(values[i]);
  }
  return sums;
}

template <class T>
void check_sums(Rank rank, DType type) {
  constexpr std::int64_t kSlice = 37;
  const int ranks = rank.comm.size();
  const std::int64_t count = kSlice * ranks;
  T* all = rank.allocate(values_of<T>(rank.comm.rank(), count));
  T* slices = rank.allocate(values_of<T>(rank.comm.rank(), count));
  rank.collectives.start_all_reduce(0, all, count, type, "sum");
  rank.collectives.start_reduce_scatter(1, slices, kSlice, type, "scatter");
  rank.collectives.wait(1);
  // What one rank has is given to all again.
  rank.collectives.start_all_gather(1, slices, kSlice * static_cast<std::int64_t>(sizeof(T)), "gather");
  rank.collectives.wait(0);
  rank.collectives.wait(1);
  const std::vector<float> expected = sums_of<T>(ranks, count);
  for (T* memory : {all, slices}) {
    const std::vector<T> found = rank.take(memory, count);
    EXPECT_EQ(std::vector<float>(found.begin(), found.end()), expected) << name_of(type) << ", " << ranks;
  }
}

TEST_F(NcclCollectivesTest, AddUpScatterAndGather) {
  for (const int ranks : {2, 3, 4}) {
    run(ranks, [](Rank rank) {
      check_sums<float>(rank, DType::f32);
      check_sums<Float16>(rank, DType::f16);
      check_sums<BFloat16>(rank, DType::bf16);
      double* sums = rank.allocate(std::vector<double>(5, 1.5));
      rank.collectives.sum_now(sums, 5, "moments");
      EXPECT_EQ(rank.take(sums, 5), std::vector<double>(5, 1.5 * rank.comm.size()));
    });
  }
}

// Twenty steps of three buckets each, all of it put into the queues without a wait of the host.
TEST_F(NcclCollectivesTest, RunBesideTheDevicesWorkInOrderWithIt) {
  std::atomic<std::int64_t> waits{0};
  run(3, [&](Rank rank) {
    constexpr int kBuckets = 3;
    constexpr int kSteps = 20;
    std::array<float*, kBuckets> buckets{};
    for (float*& bucket : buckets) bucket = rank.allocate(std::vector<float>(16, 0));
    float* total = rank.allocate(std::vector<float>(16, 0));
    rank.device.synchronize();
    rank.comm.barrier("start");
    const std::int64_t before = fake_cuda::waits_of_host();
    for (int step = 0; step < kSteps; ++step) {
      rank.collectives.note(step);
      for (int b = 0; b < kBuckets; ++b) {
        fake_cuda::put(rank.device.compute().get(), [p = buckets[static_cast<std::size_t>(b)], step, b] {
          std::fill_n(p, 16, static_cast<float>(step + b));
        });
        rank.collectives.start_all_reduce(static_cast<std::size_t>(b), buckets[static_cast<std::size_t>(b)],
                                          16, DType::f32, "bucket");
      }
      for (int b = 0; b < kBuckets; ++b) {
        rank.collectives.wait(static_cast<std::size_t>(b));
        fake_cuda::put(rank.device.compute().get(), [from = buckets[static_cast<std::size_t>(b)], total] {
          for (int i = 0; i < 16; ++i) total[i] += from[i];
        });
      }
    }
    waits += fake_cuda::waits_of_host() - before;
    rank.comm.barrier("all is put in");
    float expected = 0;
    for (int step = 0; step < kSteps; ++step) expected += static_cast<float>(3 * (3 * step + 3));
    EXPECT_EQ(rank.take(total, 16), std::vector<float>(16, expected));
    for (float* bucket : buckets) rank.take(bucket, 16);
  });
  EXPECT_EQ(waits, 0);
}

TEST_F(NcclCollectivesTest, CanBeRecordedAndPlayed) {
  run(3, [](Rank rank) {
    EXPECT_TRUE(rank.collectives.can_be_recorded());
    float* values = rank.allocate(std::vector<float>(16, 1));
    float* other = rank.allocate(std::vector<float>(16, 2));
    rank.device.start_recording();
    rank.collectives.start_all_reduce(0, values, 16, DType::f32, "bucket");
    rank.collectives.start_all_reduce(1, other, 16, DType::f32, "bucket");
    rank.collectives.wait(0);
    rank.collectives.wait(1);
    const std::unique_ptr<Recording> recording = rank.device.stop_recording();
    for (int i = 0; i < 3; ++i) {
      recording->play();
      rank.collectives.played("three times");
    }
    EXPECT_EQ(rank.take(values, 16), std::vector<float>(16, 27));
    EXPECT_EQ(rank.take(other, 16), std::vector<float>(16, 54));
  });
}

TEST_F(NcclCollectivesTest, MustBeJoinedBeforeARecordingEnds) {
  run(2, [](Rank rank) {
    float* values = rank.allocate(std::vector<float>(16, 1));
    rank.device.start_recording();
    rank.collectives.start_all_reduce(0, values, 16, DType::f32, "bucket");
    try {
      (void)rank.device.stop_recording();
      ADD_FAILURE() << "was not refused";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("unjoined"));
    }
    rank.take(values, 16);
  });
}

TEST_F(NcclCollectivesTest, GiveTheirMemoryBackAndTellWhatTheyAre) {
  const std::int64_t before = fake_cuda::allocated(0);
  run(2, [&](Rank rank) {
    EXPECT_THAT(rank.collectives.kind(),
                ::testing::StartsWith("NCCL 2.28.9, algorithm of its own choice, bus bandwidth "));
    if (rank.comm.rank() == 0) {
      EXPECT_EQ(fake_cuda::allocated(0), before);
    }
  });
  EXPECT_EQ(fake_cuda::allocated(0), before);
}

TEST_F(NcclCollectivesTest, NameTheRankThatCannotJoin) {
  set_faults({.fails_to_join = 1});
  const std::string message = lost(3, [](Rank) {}, {0.3, 0.05, 1 << 16});
  EXPECT_THAT(message, HasSubstr("rank 1: (unhandled system error; Connect to 10.0.0.1 failed)"));
  EXPECT_THAT(message, HasSubstr("rank 0: not done after 0.3 s"));
  EXPECT_THAT(message, HasSubstr("comm.gradients"));
}

TEST_F(NcclCollectivesTest, DoNotWaitForeverForOneThatNeverJoins) {
  set_faults({.never_joins = 2});
  EXPECT_THAT(lost(3, [](Rank) {}, {0.3, 0.05, 1 << 16}), HasSubstr("not done after 0.3 s"));
}

TEST_F(NcclCollectivesTest, EndTheJobWhenAnOperationHangs) {
  const std::string message =
      lost(3,
           [](Rank rank) {
             float* values = rank.allocate(std::vector<float>(16, 1));
             rank.comm.barrier("all are there");
             set_faults({.hangs = 1});
             rank.collectives.note(57);
             rank.collectives.start_all_reduce(0, values, 16, DType::f32, "gradient bucket 3");
             rank.collectives.wait(0);
             rank.device.synchronize();  // ends, because the watch aborts
             rank.comm.barrier("next");
           },
           {0.4, 0.05, 1 << 16});
  EXPECT_THAT(message, HasSubstr("rank "));
  EXPECT_THAT(message, HasSubstr("on host "));
  EXPECT_THAT(message,
              HasSubstr("gradient bucket 3 (all-reduce of 16 fp32) of step 57 is not done after 0.4 s"));
}

// While the recording is there NCCL does not give the communicator up.
TEST_F(NcclCollectivesTest, EndTheJobWhenARecordingHangs) {
  const std::string message =
      lost(3,
           [](Rank rank) {
             float* values = rank.allocate(std::vector<float>(16, 1));
             rank.device.start_recording();
             rank.collectives.start_all_reduce(0, values, 16, DType::f32, "gradient bucket 3");
             rank.collectives.wait(0);
             const std::unique_ptr<Recording> recording = rank.device.stop_recording();
             const auto play = [&] {
               recording->play();
               rank.collectives.played("forward and backward");
             };
             play();
             rank.device.synchronize();
             rank.comm.barrier("all are there");
             set_faults({.hangs = 1});
             rank.collectives.note(57);
             play();
             rank.device.synchronize();
             rank.comm.barrier("next");
           },
           {0.4, 0.05, 1 << 16});
  EXPECT_THAT(message, HasSubstr("forward and backward of step 57 is not done after 0.4 s"));
}

TEST_F(NcclCollectivesTest, AreAskedForTroubleWhileACallDoesNotReturn) {
  const NcclLibrary library = fake_nccl();
  run_ranks(1, [&](Communicator& comm) {
    NcclCommunicator nccl(library, comm, 60);
    std::promise<void> is_in;
    std::promise<void> goes_on;
    std::thread caller([&] {
      nccl.call("a call", [&](ncclComm_t) {
        is_in.set_value();
        goes_on.get_future().wait();
        return ncclSuccess;
      });
    });
    is_in.get_future().wait();
    std::future<std::string> trouble = std::async(std::launch::async, [&] { return nccl.trouble(); });
    EXPECT_EQ(trouble.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    goes_on.set_value();
    caller.join();
    EXPECT_EQ(trouble.get(), "");
  });
}

TEST_F(NcclCollectivesTest, EndTheJobWhenNcclFails) {
  const std::string message = lost(3,
                                   [](Rank rank) {
                                     rank.comm.barrier("all are there");
                                     set_faults({.fails = 1});
                                     // The others' wait for what does not come ends when rank 1 has ended the
                                     // job.
                                     if (rank.comm.rank() == 1)
                                       std::this_thread::sleep_for(std::chrono::seconds(1));
                                   },
                                   {60, 0.05, 1 << 16});
  EXPECT_THAT(message, HasSubstr("rank 1"));
  EXPECT_THAT(message, HasSubstr("remote process exited or there was a network error"));
}

}  // namespace
}  // namespace convoy
