#include "trainer/data/resample_rows.h"

#include "trainer/data/resample_loops.h"

namespace convoy {

ResampleLoops plain_resample_loops() { return {resize_rows<4>, mix_rows<4>}; }

const ResampleLoops& resample_loops() {
  static const ResampleLoops kBest = [] {
#ifdef CONVOY_V3
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
        __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0)
      return resample_loops_v3();
#endif
    return plain_resample_loops();
  }();
  return kBest;
}

}  // namespace convoy
