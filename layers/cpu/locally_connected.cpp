#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/cpu/element.h"
#include "layers/cpu/local_products.h"
#include "layers/cpu/lower.h"

namespace convoy::cpu {
namespace {

/// Values that one thread turns around at a time.
constexpr std::int64_t kTile = 16;

/// [sample][value] to [value][sample] in fp32, samples filled up with zeros to `samples`.
template <class T>
void samples_inside(const T* from, std::int64_t batch, std::int64_t values, std::int64_t samples, float* to) {
#pragma omp parallel for schedule(static)
  for (std::int64_t first = 0; first < values; first += kTile) {
    const std::int64_t end = std::min(first + kTile, values);
    for (std::int64_t n = 0; n < batch; ++n) {
      for (std::int64_t v = first; v < end; ++v) to[v * samples + n] = float(from[n * values + v]);
    }
    for (std::int64_t v = first; v < end; ++v)
      std::fill(to + v * samples + batch, to + (v + 1) * samples, 0.F);
  }
}

/// And back.
template <class T>
void samples_outside(const float* from, std::int64_t batch, std::int64_t values, std::int64_t samples,
                     T* to) {
#pragma omp parallel for schedule(static)
  for (std::int64_t first = 0; first < values; first += kTile) {
    const std::int64_t end = std::min(first + kTile, values);
    for (std::int64_t n = 0; n < batch; ++n) {
      for (std::int64_t v = first; v < end; ++v) to[n * values + v] = T(from[v * samples + n]);
    }
  }
}

/// How the products see elements of type T.
template <class T>
using Bits = std::conditional_t<std::is_same_v<T, float>, float, std::uint16_t>;

/// Locally connected layer by own loops over plain activations; see LocalProducts. Threads share positions
/// or, for the gradient of the input, channels and samples: nobody adds to what another adds to.
class LocallyConnectedLayer : public CpuLayer {
 public:
  LocallyConnectedLayer(const LocallyConnected& op, const Site& site, Inputs inputs, Engine& engine)
      : CpuLayer(site, engine), bias_(op.bias) {
    const Shape in = site.inputs[0];
    const Shape out = site.output;
    products_ = {in.channels,
                 op.outputs,
                 round_up(site.batch, LocalProducts::kLanes),
                 {1, 1, in.height, in.width, out.height, out.width, op.kernel_y, op.kernel_x, op.stride_y,
                  op.stride_x, op.padding_y, op.padding_x}};
    declare(inputs[0]);
  }

  std::unique_ptr<Kernel> bind(std::size_t pass, std::span<void* const> reads, std::span<void* const> writes,
                               void* scratch) const override {
    // Input and output, or their gradients, with the samples inside.
    auto* inner_input = static_cast<float*>(scratch);
    float* inner_output = inner_input + site_.inputs[0].elements() * products_.samples;
    return with_element(site_.type, [&]<class T>(T) -> std::unique_ptr<Kernel> {
      switch (spec_.passes[pass].kind) {
        case PassKind::backward_data:
          return bind_data<T>(reads, writes, inner_input, inner_output);
        case PassKind::backward_weights:
          return bind_weights<T>(reads, writes, inner_input, inner_output);
        default:
          return bind_forward<T>(reads, writes, inner_input, inner_output);
      }
    });
  }

 private:
  void declare(const Layout& given) {
    Engine& e = *engine_;
    const Layout input = e.accept(plain_activation(site_.inputs[0], site_.batch, site_.type), given);
    const Layout output = e.layout(plain_activation(site_.output, site_.batch, site_.type));
    const Dims& dims = site_.layer->parameters[0].dims;
    const Layout weight = e.layout({dims, data_type_of(site_.type), Tag::bac});
    const Layout weight_gradient = e.layout({dims, memory::data_type::f32, Tag::bac});
    const std::int64_t scratch =
        (site_.inputs[0].elements() + site_.output.elements()) * products_.samples * 4;
    PassSpec forward{PassKind::forward,
                     {{Role::input, 0, input}, {Role::parameter, 0, weight}},
                     {{Role::output, 0, output}},
                     scratch};
    PassSpec weights{PassKind::backward_weights,
                     {{Role::input, 0, input}, {Role::output_gradient, 0, output}},
                     {{Role::parameter_gradient, 0, weight_gradient}},
                     scratch};
    if (bias_) {
      const Layout bias = e.layout(canonical_parameter(site_.layer->parameters[1]));
      forward.reads.push_back({Role::parameter, 1, bias});
      weights.writes.push_back({Role::parameter_gradient, 1, bias});
    }
    spec_.passes.push_back(std::move(forward));
    if (!site_.training) return;
    spec_.passes.push_back(std::move(weights));
    if (!site_.input_gradient[0]) return;
    spec_.passes.push_back({PassKind::backward_data,
                            {{Role::output_gradient, 0, output}, {Role::parameter, 0, weight}},
                            {{Role::input_gradient, 0, input}},
                            scratch});
  }

  template <class T>
  std::unique_ptr<Kernel> bind_forward(std::span<void* const> reads, std::span<void* const> writes,
                                       float* inner_input, float* inner_output) const {
    const auto* input = static_cast<const T*>(reads[0]);
    const auto* weight = static_cast<const Bits<T>*>(reads[1]);
    const auto* bias = bias_ ? static_cast<const float*>(reads[2]) : nullptr;
    auto* output = static_cast<T*>(writes[0]);
    return make_kernel([=, g = products_, batch = site_.batch, inputs = site_.inputs[0].elements(),
                        outputs = site_.output.elements()](const StepContext&) {
      samples_inside(input, batch, inputs, g.samples, inner_input);
#pragma omp parallel for schedule(static)
      for (std::int64_t p = 0; p < g.positions(); ++p)
        local_forward(g, p, inner_input, weight, bias, inner_output);
      samples_outside(inner_output, batch, outputs, g.samples, output);
    });
  }

  template <class T>
  std::unique_ptr<Kernel> bind_weights(std::span<void* const> reads, std::span<void* const> writes,
                                       float* inner_input, float* inner_output) const {
    const auto* input = static_cast<const T*>(reads[0]);
    const auto* gradient = static_cast<const T*>(reads[1]);
    auto* weight_gradient = static_cast<float*>(writes[0]);
    auto* bias_gradient = bias_ ? static_cast<float*>(writes[1]) : nullptr;
    return make_kernel([=, g = products_, batch = site_.batch, inputs = site_.inputs[0].elements(),
                        outputs = site_.output.elements()](const StepContext&) {
      samples_inside(input, batch, inputs, g.samples, inner_input);
      samples_inside(gradient, batch, outputs, g.samples, inner_output);
#pragma omp parallel for schedule(static)
      for (std::int64_t p = 0; p < g.positions(); ++p)
        local_backward_weights(g, p, inner_input, inner_output, weight_gradient, bias_gradient);
    });
  }

  template <class T>
  std::unique_ptr<Kernel> bind_data(std::span<void* const> reads, std::span<void* const> writes,
                                    float* inner_input, float* inner_output) const {
    const auto* gradient = static_cast<const T*>(reads[0]);
    const auto* weight = static_cast<const Bits<T>*>(reads[1]);
    auto* input_gradient = static_cast<T*>(writes[0]);
    return make_kernel([=, g = products_, batch = site_.batch, inputs = site_.inputs[0].elements(),
                        outputs = site_.output.elements()](const StepContext&) {
      samples_inside(gradient, batch, outputs, g.samples, inner_output);
#pragma omp parallel for schedule(static) collapse(2)
      for (std::int64_t c = 0; c < g.channels; ++c) {
        for (std::int64_t n = 0; n < g.samples; n += LocalProducts::kLanes)
          local_backward_data(g, c, n, inner_output, weight, inner_input);
      }
      samples_outside(inner_input, batch, inputs, g.samples, input_gradient);
    });
  }

  bool bias_;
  LocalProducts products_;
};

}  // namespace

Lowered lower(const LocallyConnected& op, const Site& site, Inputs inputs, Engine& engine) {
  return std::make_shared<LocallyConnectedLayer>(op, site, inputs, engine);
}

}  // namespace convoy::cpu
