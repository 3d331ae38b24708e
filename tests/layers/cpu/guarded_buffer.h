#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "layers/device/device.h"

namespace convoy {

/// Bytes at a multiple of 64, filled with NaNs, between two fences that show whether a kernel wrote outside
/// of them: in this process's memory, or in a device's.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::int64_t bytes, Device* device = nullptr)
      : bytes_(static_cast<std::size_t>(bytes)),
        memory_(take(bytes_ + 2 * kFence, device), Release{bytes_ + 2 * kFence, device}) {
    const std::vector<unsigned char> marks(bytes_ + 2 * kFence, kMark);
    copy_in(memory_.get(), marks.data(), marks.size());
    poison();
  }

  void* data() const { return memory_.get() + kFence; }
  float* floats() const { return static_cast<float*>(data()); }
  std::size_t bytes() const { return bytes_; }

  /// The first values, from and to this process's memory.
  void put(const void* values, std::size_t bytes) const { copy_in(data(), values, bytes); }
  void get(void* values, std::size_t bytes) const { copy_out(values, data(), bytes); }

  /// NaNs everywhere: what a kernel does not write, or reads unwritten, shows.
  void poison() const {
    const std::vector<float> nans(bytes_ / sizeof(float), std::numeric_limits<float>::quiet_NaN());
    put(nans.data(), nans.size() * sizeof(float));
  }

  bool fences_stand() const {
    unsigned char fences[2][kFence];
    copy_out(fences[0], memory_.get(), kFence);
    copy_out(fences[1], memory_.get() + kFence + bytes_, kFence);
    for (const auto& fence : fences) {
      for (const unsigned char mark : fence) {
        if (mark != kMark) return false;
      }
    }
    return true;
  }

 private:
  struct Release {
    std::size_t bytes = 0;
    Device* device = nullptr;
    void operator()(std::byte* memory) const {
      if (device != nullptr) {
        device->release(memory, static_cast<std::int64_t>(bytes));
      } else {
        ::operator delete (memory, std::align_val_t{64});
      }
    }
  };
  static std::byte* take(std::size_t bytes, Device* device) {
    return static_cast<std::byte*>(device != nullptr ? device->allocate(static_cast<std::int64_t>(bytes))
                                                     : ::operator new (bytes, std::align_val_t{64}));
  }
  void copy_in(void* to, const void* from, std::size_t bytes) const {
    if (bytes == 0) return;
    if (Device* device = memory_.get_deleter().device)
      return device->copy_in(to, from, static_cast<std::int64_t>(bytes));
    std::memcpy(to, from, bytes);
  }
  void copy_out(void* to, const void* from, std::size_t bytes) const {
    if (bytes == 0) return;
    if (Device* device = memory_.get_deleter().device)
      return device->copy_out(to, from, static_cast<std::int64_t>(bytes));
    std::memcpy(to, from, bytes);
  }
  static constexpr std::size_t kFence = 256;  // what GPUs' kernels take for granted of an alignment
  static constexpr unsigned char kMark = 0xA5;

  std::size_t bytes_;
  std::unique_ptr<std::byte, Release> memory_;
};

}  // namespace convoy
