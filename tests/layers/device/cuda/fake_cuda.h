#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>

// CUDA's runtime on the processor, for tests of what we do with streams, events, graphs and memory. A program
// that is linked with fake_cuda.cpp gets these functions in place of CUDA's. Each stream is a thread that
// works off what was put into it, in its own time: what nobody ordered runs in any order, and ThreadSanitizer
// sees what is missing. Graphs record what streams are given, and must be joined as CUDA wants it; meanwhile
// the thread that records is refused what CUDA refuses it in thread-local captures: memory, and looks at
// events.
namespace convoy::fake_cuda {

/// Bytes of a device.
inline constexpr std::size_t kMemory = std::size_t{8} << 30;

/// Devices that there are; at first 4.
void set_devices(int count);
/// Each stream sleeps up to so long before each piece of work, differently each time; 0: not at all.
void set_delay(int microseconds);
/// Puts work into a stream, as a launch does: Error for a failure before that nobody has asked for.
void put(CUstream_st* stream, std::function<void()> work);
/// Whether what is put into a stream is recorded.
bool records(CUstream_st* stream);
/// Bytes that cudaMalloc has out on a device.
std::int64_t allocated(int device);
/// Graphs that were launched, in this process.
std::int64_t launched_graphs();
/// Times that the host waited for a stream or an event that was not done.
std::int64_t waits_of_host();

}  // namespace convoy::fake_cuda
