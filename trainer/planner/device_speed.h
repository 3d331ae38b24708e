#pragma once

#include "layers/core/dtype.h"

namespace convoy {

/// What a device reaches, for the model of time (cost_model.h): not its peaks. By default about that of one
/// present-day processor.
struct DeviceSpeed {
  double flops = 2e11;             ///< a second, with fp32
  double half_flops = 2e11;        ///< with a half type
  double bytes_per_second = 2e10;  ///< of its memory
  double launch_seconds = 5e-6;    ///< to start a kernel
  /// Of 3×3 convolutions of stride 1, counted as direct ones: Winograd's algorithm (Lavin and Gray 2016)
  /// takes fewer multiplications. 0: as the others.
  double window_flops = 0;
  double half_window_flops = 0;
  /// Of kernels whose operands all lie in the caches, and how many bytes those hold. 0: as memory.
  double cache_bytes_per_second = 0;
  double cache_bytes = 0;
  bool half_gradients = false;  ///< where activations have a half type, gradients have it too
  friend bool operator==(const DeviceSpeed&, const DeviceSpeed&) = default;

  double flops_of(DType type, bool window = false) const {
    const double direct = type == DType::f32 ? flops : half_flops;
    const double faster = type == DType::f32 ? window_flops : half_window_flops;
    return window && faster > 0 ? faster : direct;
  }
  double rate_of(double bytes) const {
    return bytes <= cache_bytes && cache_bytes_per_second > 0 ? cache_bytes_per_second : bytes_per_second;
  }
};

}  // namespace convoy
