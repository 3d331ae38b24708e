#pragma once

#include "layers/core/dtype.h"

namespace convoy {

/// For the rough models of time; by default about that of one present-day processor.
struct DeviceSpeed {
  double flops = 2e11;             ///< a second, with fp32
  double half_flops = 2e11;        ///< with a half type
  double bytes_per_second = 2e10;  ///< of its memory
  double launch_seconds = 5e-6;    ///< to start a kernel

  double flops_of(DType type) const { return type == DType::f32 ? flops : half_flops; }
};

}  // namespace convoy
