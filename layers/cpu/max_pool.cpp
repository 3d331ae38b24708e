#include "layers/cpu/max_pool.h"

#include "layers/cpu/max_pool_maps.h"
#include "layers/cpu/simd.h"

namespace convoy::cpu {

#ifdef CONVOY_V4
void max_pool_forward_map_v4(const MaxPoolGeometry& g, const float* map, float* output,
                             std::uint8_t* positions);
void max_pool_backward_map_v4(const MaxPoolGeometry& g, const float* gradient, const std::uint8_t* positions,
                              float* map);
#else
namespace {

constexpr auto max_pool_forward_map_v4 = forward_map;
constexpr auto max_pool_backward_map_v4 = backward_map;

}  // namespace
#endif

void max_pool_forward(const MaxPoolGeometry& g, const float* input, float* output, std::uint8_t* positions) {
  const auto forward = has_v4() ? max_pool_forward_map_v4 : forward_map;
  const std::int64_t in = g.in_y * g.in_x * g.inner;
  const std::int64_t out = g.out_y * g.out_x * g.inner;
#pragma omp parallel for schedule(static)
  for (std::int64_t o = 0; o < g.outer; ++o) {
    forward(g, input + o * in, output + o * out, positions == nullptr ? nullptr : positions + o * out);
  }
}

void max_pool_backward(const MaxPoolGeometry& g, const float* output_gradient, const std::uint8_t* positions,
                       float* input_gradient) {
  const auto backward = has_v4() ? max_pool_backward_map_v4 : backward_map;
  const std::int64_t in = g.in_y * g.in_x * g.inner;
  const std::int64_t out = g.out_y * g.out_x * g.inner;
#pragma omp parallel for schedule(static)
  for (std::int64_t o = 0; o < g.outer; ++o) {
    backward(g, output_gradient + o * out, positions + o * out, input_gradient + o * in);
  }
}

}  // namespace convoy::cpu
