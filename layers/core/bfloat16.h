#pragma once

#include <bit>
#include <cstdint>

#include "layers/core/host_device.h"

namespace convoy {

/// The upper 16 bits of an fp32 number. Stored as such, computed with as float; rounds to nearest, ties to
/// even, and keeps NaN a NaN.
class BFloat16 {
 public:
  BFloat16() = default;
  CONVOY_HD explicit BFloat16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
    const std::uint32_t rounded = nan ? bits | 0x400000U : bits + 0x7fffU + ((bits >> 16U) & 1U);
    bits_ = static_cast<std::uint16_t>(rounded >> 16U);
  }
  CONVOY_HD operator float() const { return std::bit_cast<float>(std::uint32_t{bits_} << 16U); }

 private:
  std::uint16_t bits_ = 0;
};
static_assert(sizeof(BFloat16) == 2);

}  // namespace convoy
