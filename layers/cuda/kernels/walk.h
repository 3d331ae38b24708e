#pragma once

#include <cstdint>

#include "layers/core/host_device.h"
#include "layers/cuda/kernels/queue.h"

// From the index of a value to its place. A GPU divides numbers of 64 bits in about a hundred instructions,
// more than the memory that a kernel reads and writes for a value takes; by a divisor that is known before
// the launch it takes a few. Included by kernels' sources only.
namespace CONVOY_CUDA_NAMESPACE {

/// Divides by a number above 0: n / d is the upper half of n · ceil(2⁶⁴ / d), exactly so where n · d < 2⁶⁴, n
/// ≥ 0 (Granlund and Montgomery 1994). Tensors and their dimensions are far below that.
class Divisor {
 public:
  CONVOY_HD explicit Divisor(std::int64_t divisor)
      : divisor_(divisor),
        inverse_(divisor > 1 ? ~std::uint64_t{0} / static_cast<std::uint64_t>(divisor) + 1 : 0) {}

  CONVOY_HD std::int64_t value() const { return divisor_; }
  CONVOY_HD std::int64_t quotient(std::int64_t n) const {
    if (inverse_ == 0) return n;  // the divisor is 1
#ifdef __CUDA_ARCH__
    return static_cast<std::int64_t>(__umul64hi(static_cast<std::uint64_t>(n), inverse_));
#else
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<std::int64_t>(static_cast<Wide>(static_cast<std::uint64_t>(n)) * inverse_ >> 64U);
#endif
  }
  CONVOY_HD std::int64_t rest(std::int64_t n) const { return n - quotient(n) * divisor_; }

 private:
  std::int64_t divisor_;
  std::uint64_t inverse_;
};

/// Place of a value in dense NHWC images.
struct Place {
  std::int64_t n = 0, y = 0, x = 0, c = 0;
};

/// Finds places in images of a size; `index` and `place` are each other's inverse.
struct Images {
  Divisor height, width, channels;
  CONVOY_HD Images(std::int64_t image_height, std::int64_t image_width, std::int64_t image_channels)
      : height(image_height), width(image_width), channels(image_channels) {}

  CONVOY_HD Place place(std::int64_t i) const {
    const std::int64_t pixel = channels.quotient(i);
    const std::int64_t row = width.quotient(pixel);
    const std::int64_t n = height.quotient(row);
    return {n, row - n * height.value(), pixel - row * width.value(), i - pixel * channels.value()};
  }
  CONVOY_HD std::int64_t index(const Place& at) const {
    return ((at.n * height.value() + at.y) * width.value() + at.x) * channels.value() + at.c;
  }
};

}  // namespace CONVOY_CUDA_NAMESPACE
