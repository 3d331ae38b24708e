#pragma once

#include <cstdint>
#ifdef CONVOY_CUDA_ON_HOST
#include <functional>
#endif

#include "layers/core/bfloat16.h"
#include "layers/core/dtype.h"
#include "layers/core/float16.h"
#include "layers/core/host_device.h"
#include "layers/cuda/kernels/queue.h"

// The only launches there are. A kernel is a function object over indices; what it computes is the same on
// the host, where the tests run it. Included by kernels' sources only.
namespace CONVOY_CUDA_NAMESPACE {

/// Threads of a block. More blocks than kMostBlocks are not started: threads go on with later indices
/// instead, so that any number of indices will do.
inline constexpr int kThreads = 256;
inline constexpr std::int64_t kMostBlocks = 1 << 16;

/// Parts into which sum_rows divides rows, and the bound of its memory; as the size model has it.
inline constexpr std::int64_t kMostParts = 256;
inline constexpr int kMostColumns = 32;

/// Threads of a block side by side along the channels: a power of two.
constexpr int columns_of(std::int64_t channels) {
  int columns = 1;
  while (columns < kMostColumns && columns < channels) columns *= 2;
  return columns;
}
/// Parts for which the blocks fill a large GPU: the more channels, the fewer, since the parts of a channel
/// are added up by one thread.
constexpr std::int64_t parts_of(std::int64_t rows, std::int64_t channels) {
  constexpr std::int64_t kBlocks = 1024;
  const std::int64_t across = (channels + kMostColumns - 1) / kMostColumns;
  const std::int64_t wanted = across < 1 ? kBlocks : (kBlocks + across - 1) / across;
  const std::int64_t most = rows < kMostParts ? rows : kMostParts;
  return wanted < most ? wanted : most;
}

#ifdef CONVOY_CUDA_ON_HOST

/// Whoever links the kernels says when they run: at once, or in order with a stream's other work.
void run_on_host(Queue queue, std::function<void()> work);

template <class Function>
void for_each_index(Queue queue, std::int64_t count, const Function& function) {
  run_on_host(queue, [=] {
    for (std::int64_t i = 0; i < count; ++i) function(i);
  });
}

template <int quantities, class Function>
void sum_rows_here(std::int64_t rows, std::int64_t channels, float* parts, const Function& function) {
  const std::int64_t lanes = kThreads / columns_of(channels);
  const std::int64_t count = parts_of(rows, channels);
  for (std::int64_t part = 0; part < count; ++part) {
    const std::int64_t first = rows * part / count;
    const std::int64_t end = rows * (part + 1) / count;
    for (std::int64_t c = 0; c < channels; ++c) {
      float sums[quantities] = {};
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        float of_lane[quantities] = {};
        for (std::int64_t row = first + lane; row < end; row += lanes) function(row, c, of_lane);
        for (int q = 0; q < quantities; ++q) sums[q] += of_lane[q];
      }
      for (int q = 0; q < quantities; ++q) parts[(part * quantities + q) * channels + c] = sums[q];
    }
  }
}

template <int quantities, class Function>
void sum_rows(Queue queue, std::int64_t rows, std::int64_t channels, float* parts, const Function& function) {
  run_on_host(queue, [=] { sum_rows_here<quantities>(rows, channels, parts, function); });
}

template <class Function>
void for_each_long_index(Queue queue, std::int64_t count, const Function& function) {
  for_each_index(queue, count, function);
}

#else

template <class Function>
__global__ void __launch_bounds__(kThreads) run_indices(std::int64_t count, Function function) {
  const std::int64_t threads = blockDim.x;
  const std::int64_t step = gridDim.x * threads;
  for (std::int64_t i = blockIdx.x * threads + threadIdx.x; i < count; i += step) function(i);
}

/// function(i) for every i in [0, count), in no order.
template <class Function>
void for_each_index(Queue queue, std::int64_t count, const Function& function) {
  if (count <= 0) return;
  const std::int64_t needed = (count + kThreads - 1) / kThreads;
  const auto blocks = static_cast<unsigned>(needed < kMostBlocks ? needed : kMostBlocks);
  // clang-format off
  run_indices<<<blocks, kThreads, 0, queue.stream>>>(count, function);
  // clang-format on
  check_launch("for_each_index");
}

/// The same where each index goes through a row of its own: when they are few, in small blocks, so that many
/// multiprocessors and their caches share them.
template <class Function>
void for_each_long_index(Queue queue, std::int64_t count, const Function& function) {
  constexpr std::int64_t kFew = 4;
  if (count <= 0) return;
  if (count > kFew * kThreads) return for_each_index(queue, count, function);
  // clang-format off
  run_indices<<<static_cast<unsigned>((count + kFew - 1) / kFew), kFew, 0, queue.stream>>>(count, function);
  // clang-format on
  check_launch("for_each_long_index");
}

/// One block adds up one part of the rows for `columns` channels: its threads stand in columns, each column
/// adds every lanes-th row, and the first thread of a column adds those sums up in order.
template <int quantities, class Function>
__global__ void __launch_bounds__(kThreads)
    run_sum_rows(std::int64_t rows, std::int64_t channels, int columns, float* parts, Function function) {
  __shared__ float shared[quantities][kThreads];
  const int lanes = kThreads / columns;
  const int column = static_cast<int>(threadIdx.x) % columns;
  const int lane = static_cast<int>(threadIdx.x) / columns;
  const std::int64_t part = blockIdx.x;
  const std::int64_t count = gridDim.x;
  const std::int64_t end = rows * (part + 1) / count;
  // Every thread of a block goes through this loop equally often, so that all meet at the barriers.
  for (std::int64_t base = static_cast<std::int64_t>(blockIdx.y) * columns; base < channels;
       base += static_cast<std::int64_t>(gridDim.y) * columns) {
    const std::int64_t c = base + column;
    float sums[quantities] = {};
    if (c < channels) {
      // Unrolled, so that several rows are on their way at a time.
#pragma unroll 8
      for (std::int64_t row = rows * part / count + lane; row < end; row += lanes) function(row, c, sums);
    }
    for (int q = 0; q < quantities; ++q) shared[q][threadIdx.x] = sums[q];
    __syncthreads();
    if (lane == 0 && c < channels) {
      for (int q = 0; q < quantities; ++q) {
        float sum = 0;
        for (int other = 0; other < lanes; ++other) sum += shared[q][other * columns + column];
        parts[(part * quantities + q) * channels + c] = sum;
      }
    }
    __syncthreads();
  }
}

/// Adds up by channel over rows what function(row, channel, sums) adds to its `quantities` sums, in
/// parts_of(rows, channels) parts: parts[part][quantity][channel]. The same bits however blocks are
/// scheduled.
template <int quantities, class Function>
void sum_rows(Queue queue, std::int64_t rows, std::int64_t channels, float* parts, const Function& function) {
  if (rows <= 0 || channels <= 0) return;
  const int columns = columns_of(channels);
  const std::int64_t across = (channels + columns - 1) / columns;
  constexpr std::int64_t kMostAcross = 65535;  // of a grid's second dimension
  const dim3 blocks(static_cast<unsigned>(parts_of(rows, channels)),
                    static_cast<unsigned>(across < kMostAcross ? across : kMostAcross));
  // clang-format off
  run_sum_rows<quantities><<<blocks, kThreads, 0, queue.stream>>>(rows, channels, columns, parts, function);
  // clang-format on
  check_launch("sum_rows");
}

#endif

/// The parts of one sum, added up in an order of their own.
CONVOY_HD inline double sum_of_parts(const float* parts, std::int64_t count, int quantities, int quantity,
                                     std::int64_t channels, std::int64_t channel) {
  // Eight sums side by side, for as many loads on their way.
  constexpr int kBeside = 8;
  double sums[kBeside] = {};
  for (std::int64_t part = 0; part < count; part += kBeside) {
    for (int i = 0; i < kBeside; ++i) {
      if (part + i < count)
        sums[i] += static_cast<double>(parts[((part + i) * quantities + quantity) * channels + channel]);
    }
  }
  for (int half = kBeside / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

/// Calls `call` with a value of the element type `type`, so that a kernel is written once.
template <class Call>
void with_element(DType type, Call&& call) {
  switch (type) {
    case DType::f32:
      return call(float{});
    case DType::f16:
      return call(Float16{});
    case DType::bf16:
      return call(BFloat16{});
    default:
      refuse_type(type);
  }
}

}  // namespace CONVOY_CUDA_NAMESPACE
