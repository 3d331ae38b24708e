#pragma once

#include <cstddef>
#include <cstdint>

#include "layers/cuda/kernels/walk.h"

// Functions of single values, 16 bytes at a time. What such kernels take is the memory's time, and threads
// that have two bytes under way each leave most of a large GPU's bandwidth unused: by Little's law an H100
// needs about 2 MB on their way. Included by kernels' sources only.
namespace CONVOY_CUDA_NAMESPACE {

/// Values that are read and written at once.
template <class T>
struct alignas(16) Pack {
  static constexpr std::int64_t kSize = 16 / sizeof(T);
  T values[kSize];
};

inline bool begins_pack(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory) % sizeof(Pack<float>) == 0;
}

/// to[i] = function(c, {from[0][i], ...}) for a pack of values; see map_values.
template <class T, std::size_t inputs, class Function>
struct MapValues {
  std::int64_t count;
  Divisor channels;
  bool aligned;  ///< all operands begin as packs must
  const T* from[inputs];
  T* to;
  Function function;

  CONVOY_HD T result(std::int64_t c, const T (&given)[inputs]) const {
    float x[inputs];
    for (std::size_t k = 0; k < inputs; ++k) x[k] = float(given[k]);
    return T(function(c, x));
  }

  /// Pack number `p`; the values after the last whole pack one by one.
  CONVOY_HD void operator()(std::int64_t p) const {
    using Values = Pack<T>;
    const std::int64_t first = p * Values::kSize;
    std::int64_t c = channels.rest(first);
    if (aligned && first + Values::kSize <= count) {
      Values given[inputs];
      for (std::size_t k = 0; k < inputs; ++k) given[k] = *reinterpret_cast<const Values*>(from[k] + first);
      Values made;
      for (std::int64_t v = 0; v < Values::kSize; ++v) {
        T one[inputs];
        for (std::size_t k = 0; k < inputs; ++k) one[k] = given[k].values[v];
        made.values[v] = result(c, one);
        c = c + 1 < channels.value() ? c + 1 : 0;
      }
      *reinterpret_cast<Values*>(to + first) = made;
      return;
    }
    for (std::int64_t i = first; i < first + Values::kSize && i < count; ++i) {
      T one[inputs];
      for (std::size_t k = 0; k < inputs; ++k) one[k] = from[k][i];
      to[i] = result(c, one);
      c = c + 1 < channels.value() ? c + 1 : 0;
    }
  }
};

}  // namespace CONVOY_CUDA_NAMESPACE
