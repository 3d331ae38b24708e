#pragma once

#include <type_traits>

#include "layers/core/bfloat16.h"
#include "layers/core/dtype.h"
#include "layers/core/error.h"

namespace convoy::cpu {

/// Calls `call` with a value of the element type `type` (float or BFloat16), so that a loop is written once:
///   with_element(type, [&]<class T>(T) { auto* x = static_cast<T*>(data); ... });
template <class Call>
auto with_element(DType type, Call&& call) {
  switch (type) {
    case DType::f32:
      return call(float{});
    case DType::bf16:
      return call(BFloat16{});
    default:
      fail(ExitCode::internal, "no kernels of the processor for elements of type {}", name_of(type));
  }
}

}  // namespace convoy::cpu
