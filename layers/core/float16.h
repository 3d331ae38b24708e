#pragma once

#include <bit>
#include <cstdint>

#include "layers/core/host_device.h"

#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace convoy {

/// IEEE half precision. Stored as such, computed with as float; rounds to nearest, ties to even, keeps NaN a
/// NaN, and becomes infinite from 65520 on.
class Float16 {
 public:
  Float16() = default;
  CONVOY_HD explicit Float16(float value) : bits_(bits_of(value)) {}
  CONVOY_HD operator float() const {
#ifdef __CUDA_ARCH__
    return __half2float(__ushort_as_half(bits_));
#else
    const std::uint32_t sign = (std::uint32_t{bits_} & 0x8000U) << 16U;
    const std::uint32_t rest = (std::uint32_t{bits_} & 0x7fffU) << 13U;
    const std::uint32_t exponent = rest & 0x0f800000U;
    if (exponent == 0x0f800000U) return std::bit_cast<float>(sign | (rest + 0x70000000U));
    if (exponent != 0) return std::bit_cast<float>(sign | (rest + 0x38000000U));
    // Subnormal: of 2^-14, of which the leading one that a normal number has is taken away again.
    const float small = std::bit_cast<float>(rest + 0x38800000U) - 0x1p-14F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(small));
#endif
  }

 private:
  CONVOY_HD static std::uint16_t bits_of(float value) {
#ifdef __CUDA_ARCH__
    return __half_as_ushort(__float2half_rn(value));
#else
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (bits >> 16U) & 0x8000U;
    const std::uint32_t rest = bits & 0x7fffffffU;
    if (rest >= 0x47800000U)  // 65536 and more, infinite, or no number
      return static_cast<std::uint16_t>(sign | (rest > 0x7f800000U ? 0x7e00U : 0x7c00U));
    if (rest < 0x38800000U) {  // below 2^-14: the step of a half is then that of a float just above 0.5
      const float rounded = std::bit_cast<float>(rest) + 0.5F;
      return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(rounded) - 0x3f000000U));
    }
    const std::uint32_t rounded = rest + 0xfffU + ((rest >> 13U) & 1U);
    return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13U));
#endif
  }

  std::uint16_t bits_ = 0;
};
static_assert(sizeof(Float16) == 2);

}  // namespace convoy
