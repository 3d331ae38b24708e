#pragma once

#include "layers/core/simd.h"

namespace convoy::cpu {

/// AVX-512 as of x86-64-v4, for which some own kernels have a version (`*_v4.cpp`).
inline bool has_v4() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
  return false;
#endif
}

}  // namespace convoy::cpu
