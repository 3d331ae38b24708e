#pragma once

#include <bit>
#include <cstdint>

#include "layers/core/host_device.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#endif

namespace convoy {

/// The upper 16 bits of an fp32 number. Stored as such, computed with as float; rounds to nearest, ties to
/// even, and keeps NaN a NaN.
class BFloat16 {
 public:
  BFloat16() = default;
  CONVOY_HD explicit BFloat16(float value) {
#ifdef __CUDA_ARCH__
    bits_ = __bfloat16_as_ushort(__float2bfloat16_rn(value));
#else
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
    const std::uint32_t rounded = nan ? bits | 0x400000U : bits + 0x7fffU + ((bits >> 16U) & 1U);
    bits_ = static_cast<std::uint16_t>(rounded >> 16U);
#endif
  }
  CONVOY_HD operator float() const {
#ifdef __CUDA_ARCH__
    return __uint_as_float(std::uint32_t{bits_} << 16U);
#else
    return std::bit_cast<float>(std::uint32_t{bits_} << 16U);
#endif
  }

 private:
  std::uint16_t bits_ = 0;
};
static_assert(sizeof(BFloat16) == 2);

}  // namespace convoy
