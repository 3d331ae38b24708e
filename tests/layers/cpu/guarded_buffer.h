#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>

namespace convoy {

/// Bytes at a multiple of 64, filled with NaNs, between two fences that show whether a kernel wrote outside
/// of them.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::int64_t bytes)
      : bytes_(static_cast<std::size_t>(bytes)),
        memory_(static_cast<std::byte*>(::operator new (bytes_ + 2 * kFence, std::align_val_t{64}))) {
    std::memset(memory_.get(), kMark, bytes_ + 2 * kFence);
    poison();
  }

  void* data() const { return memory_.get() + kFence; }
  float* floats() const { return static_cast<float*>(data()); }
  std::size_t bytes() const { return bytes_; }

  /// NaNs everywhere: what a kernel does not write, or reads unwritten, shows.
  void poison() const {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::byte* at = memory_.get() + kFence;
    for (std::size_t i = 0; i + sizeof nan <= bytes_; i += sizeof nan) std::memcpy(at + i, &nan, sizeof nan);
  }

  bool fences_stand() const {
    for (std::size_t i = 0; i < kFence; ++i) {
      if (memory_.get()[i] != std::byte{kMark} || memory_.get()[kFence + bytes_ + i] != std::byte{kMark})
        return false;
    }
    return true;
  }

 private:
  struct Release {
    void operator()(std::byte* memory) const { ::operator delete (memory, std::align_val_t{64}); }
  };
  static constexpr std::size_t kFence = 64;
  static constexpr unsigned char kMark = 0xA5;

  std::size_t bytes_;
  std::unique_ptr<std::byte, Release> memory_;
};

}  // namespace convoy
