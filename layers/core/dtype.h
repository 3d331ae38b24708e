#pragma once

#include <cstdint>
#include <string_view>

namespace convoy {

/// Element types of tensors.
enum class DType : std::uint8_t { f32, f16, bf16, u8, s32 };

/// Bytes of one element.
constexpr std::int64_t size_of(DType type) {
  switch (type) {
    case DType::f32:
    case DType::s32:
      return 4;
    case DType::f16:
    case DType::bf16:
      return 2;
    case DType::u8:
      return 1;
  }
  return 0;
}

/// "fp32", "fp16", "bf16", "uint8", "int32".
std::string_view name_of(DType type);
/// The type of a name; Error(internal) when there is none.
DType dtype_of(std::string_view name);

}  // namespace convoy
