#include "layers/cpu/local_products.h"

#include "layers/cpu/local_products_maps.h"
#include "layers/cpu/simd.h"

namespace convoy::cpu {

#ifdef CONVOY_V4
void local_forward_v4(const LocalProducts&, std::int64_t, const float*, const float*, const float*, float*);
void local_forward_v4(const LocalProducts&, std::int64_t, const float*, const std::uint16_t*, const float*,
                      float*);
void local_backward_data_v4(const LocalProducts&, std::int64_t, std::int64_t, const float*, const float*,
                            float*);
void local_backward_data_v4(const LocalProducts&, std::int64_t, std::int64_t, const float*,
                            const std::uint16_t*, float*);
void local_backward_weights_v4(const LocalProducts&, std::int64_t, const float*, const float*, float*,
                               float*);
#endif

template <class T>
void local_forward(const LocalProducts& g, std::int64_t position, const float* input, const T* weight,
                   const float* bias, float* output) {
#ifdef CONVOY_V4
  if (has_v4()) return local_forward_v4(g, position, input, weight, bias, output);
#endif
  forward(g, position, input, weight, bias, output);
}

template <class T>
void local_backward_data(const LocalProducts& g, std::int64_t channel, std::int64_t first,
                         const float* gradient, const T* weight, float* input_gradient) {
#ifdef CONVOY_V4
  if (has_v4()) return local_backward_data_v4(g, channel, first, gradient, weight, input_gradient);
#endif
  backward_data(g, channel, first, gradient, weight, input_gradient);
}

void local_backward_weights(const LocalProducts& g, std::int64_t position, const float* input,
                            const float* gradient, float* weight_gradient, float* bias_gradient) {
#ifdef CONVOY_V4
  if (has_v4())
    return local_backward_weights_v4(g, position, input, gradient, weight_gradient, bias_gradient);
#endif
  backward_weights(g, position, input, gradient, weight_gradient, bias_gradient);
}

template void local_forward(const LocalProducts&, std::int64_t, const float*, const float*, const float*,
                            float*);
template void local_forward(const LocalProducts&, std::int64_t, const float*, const std::uint16_t*,
                            const float*, float*);
template void local_backward_data(const LocalProducts&, std::int64_t, std::int64_t, const float*,
                                  const float*, float*);
template void local_backward_data(const LocalProducts&, std::int64_t, std::int64_t, const float*,
                                  const std::uint16_t*, float*);

}  // namespace convoy::cpu
