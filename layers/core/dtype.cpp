#include "layers/core/dtype.h"

namespace convoy {

std::string_view name_of(DType type) {
  switch (type) {
    case DType::f32:
      return "fp32";
    case DType::f16:
      return "fp16";
    case DType::bf16:
      return "bf16";
    case DType::u8:
      return "uint8";
    case DType::s32:
      return "int32";
  }
  return "?";
}

}  // namespace convoy
