#include "layers/core/dtype.h"

#include "layers/core/error.h"

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

DType dtype_of(std::string_view name) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::u8, DType::s32}) {
    if (name_of(type) == name) return type;
  }
  fail(ExitCode::internal, "no element type is called \"{}\"", name);
}

}  // namespace convoy
