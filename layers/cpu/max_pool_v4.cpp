// Compiled for x86-64-v4 (AVX-512); called only where the processor has it.
#include "layers/cpu/max_pool_maps.h"

namespace convoy::cpu {

void max_pool_forward_map_v4(const PoolGeometry& g, const float* map, float* output,
                             std::uint8_t* positions) {
  forward_map(g, map, output, positions);
}

void max_pool_forward_map_v4(const PoolGeometry& g, const std::uint16_t* map, std::uint16_t* output,
                             std::uint8_t* positions) {
  forward_map(g, map, output, positions);
}

void max_pool_backward_map_v4(const PoolGeometry& g, const float* gradient, const std::uint8_t* positions,
                              float* map, float* strip) {
  backward_map(g, gradient, positions, map, strip);
}

void max_pool_backward_map_v4(const PoolGeometry& g, const std::uint16_t* gradient,
                              const std::uint8_t* positions, std::uint16_t* map, float* strip) {
  backward_map(g, gradient, positions, map, strip);
}

}  // namespace convoy::cpu
