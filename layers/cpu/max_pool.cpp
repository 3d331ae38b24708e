#include "layers/cpu/max_pool.h"

#include "layers/cpu/max_pool_maps.h"
#include "layers/cpu/simd.h"

namespace convoy::cpu {

#ifdef CONVOY_V4
void max_pool_forward_map_v4(const PoolGeometry& g, const float* map, float* output, std::uint8_t* positions);
void max_pool_forward_map_v4(const PoolGeometry& g, const std::uint16_t* map, std::uint16_t* output,
                             std::uint8_t* positions);
void max_pool_backward_map_v4(const PoolGeometry& g, const float* gradient, const std::uint8_t* positions,
                              float* map, float* strip);
void max_pool_backward_map_v4(const PoolGeometry& g, const std::uint16_t* gradient,
                              const std::uint8_t* positions, std::uint16_t* map, float* strip);
#endif

namespace {

template <class T>
using ForwardMap = void (*)(const PoolGeometry&, const T*, T*, std::uint8_t*);
template <class T>
using BackwardMap = void (*)(const PoolGeometry&, const T*, const std::uint8_t*, T*, float*);

template <class T>
ForwardMap<T> forward_of() {
#ifdef CONVOY_V4
  if (has_v4()) return max_pool_forward_map_v4;
#endif
  return forward_map<T>;
}

template <class T>
BackwardMap<T> backward_of() {
#ifdef CONVOY_V4
  if (has_v4()) return max_pool_backward_map_v4;
#endif
  return backward_map;
}

}  // namespace

template <class T>
void max_pool_forward(const PoolGeometry& g, const T* input, T* output, std::uint8_t* positions) {
  const auto forward = forward_of<T>();
  const std::int64_t in = g.in_map();
  const std::int64_t out = g.out_map();
#pragma omp parallel for schedule(static)
  for (std::int64_t o = 0; o < g.outer; ++o) {
    forward(g, input + o * in, output + o * out, positions == nullptr ? nullptr : positions + o * out);
  }
}

template <class T>
void max_pool_backward(const PoolGeometry& g, const T* output_gradient, const std::uint8_t* positions,
                       T* input_gradient, float* strips) {
  const auto backward = backward_of<T>();
  const std::int64_t in = g.in_map();
  const std::int64_t out = g.out_map();
#pragma omp parallel for schedule(static)
  for (std::int64_t o = 0; o < g.outer; ++o) {
    float* strip = strips == nullptr ? nullptr : strips + o * g.kernel_y * g.in_x * g.inner;
    backward(g, output_gradient + o * out, positions + o * out, input_gradient + o * in, strip);
  }
}

template void max_pool_forward(const PoolGeometry&, const float*, float*, std::uint8_t*);
template void max_pool_forward(const PoolGeometry&, const std::uint16_t*, std::uint16_t*, std::uint8_t*);
template void max_pool_backward(const PoolGeometry&, const float*, const std::uint8_t*, float*, float*);
template void max_pool_backward(const PoolGeometry&, const std::uint16_t*, const std::uint8_t*,
                                std::uint16_t*, float*);

}  // namespace convoy::cpu
