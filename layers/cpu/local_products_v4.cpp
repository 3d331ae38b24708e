// Compiled for x86-64-v4 (AVX-512); called only where the processor has it.
#include "layers/cpu/local_products_maps.h"

namespace convoy::cpu {

void local_forward_v4(const LocalProducts& g, std::int64_t position, const float* input, const float* weight,
                      const float* bias, float* output) {
  forward(g, position, input, weight, bias, output);
}
void local_forward_v4(const LocalProducts& g, std::int64_t position, const float* input,
                      const std::uint16_t* weight, const float* bias, float* output) {
  forward(g, position, input, weight, bias, output);
}
void local_backward_data_v4(const LocalProducts& g, std::int64_t channel, std::int64_t first,
                            const float* gradient, const float* weight, float* input_gradient) {
  backward_data(g, channel, first, gradient, weight, input_gradient);
}
void local_backward_data_v4(const LocalProducts& g, std::int64_t channel, std::int64_t first,
                            const float* gradient, const std::uint16_t* weight, float* input_gradient) {
  backward_data(g, channel, first, gradient, weight, input_gradient);
}
void local_backward_weights_v4(const LocalProducts& g, std::int64_t position, const float* input,
                               const float* gradient, float* weight_gradient, float* bias_gradient) {
  backward_weights(g, position, input, gradient, weight_gradient, bias_gradient);
}

}  // namespace convoy::cpu
