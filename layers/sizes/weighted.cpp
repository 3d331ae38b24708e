#include <algorithm>

#include "layers/sizes/specs.h"

namespace convoy::sizes {
namespace {

/// NVIDIA's advice for cublasSetWorkspace on Hopper.
constexpr std::int64_t kMatrixWorkspace = 32 << 20;

/// The matrix that an explicit im2col fills: for each pixel of `side` the values that its window sees.
std::int64_t im2col_bytes(const Site& site, Shape side, std::int64_t window_values) {
  return site.batch * side.pixels() * window_values * size_of(site.type);
}

/// How weights and bias lie, of Site::type. (Kernels read the bias in fp32.)
struct WeightLayouts {
  Layout weight;
  Layout bias;
};

/// Forward, backward by weights, backward by data, each with up to `workspace` bytes of scratch.
LayerSpec weighted(const Site& site, std::int64_t workspace, const WeightLayouts& lie, Layouts& layouts) {
  LayerSpec spec;
  const std::vector<ParameterSpec>& parameters = site.layer->parameters;
  const Layout input = input_of(site, layouts);
  const Layout output = output_of(site, layouts);
  const Layout weight = lie.weight;
  const bool bias = parameters.size() > 1;
  if (site.relu_follows) spec.relu = ReluShare::forward;
  PassSpec forward{PassKind::forward,
                   {{Role::input, 0, input}, {Role::parameter, 0, weight}},
                   {{Role::output, 0, output}},
                   workspace};
  if (bias) forward.reads.push_back({Role::parameter, 1, layouts.with_type(lie.bias, DType::f32)});
  spec.passes.push_back(std::move(forward));
  if (!site.training) return spec;
  PassSpec weights{PassKind::backward_weights,
                   {{Role::input, 0, input}, {Role::output_gradient, 0, output}},
                   {{Role::parameter_gradient, 0, weight}},
                   workspace};
  if (bias) {
    weights.writes.push_back({Role::parameter_gradient, 1, lie.bias});
    weights.scratch_bytes = std::max(workspace, partial_sum_bytes(site, site.output, 1));
  }
  spec.passes.push_back(std::move(weights));
  if (!site.input_gradient[0]) return spec;
  spec.passes.push_back({PassKind::backward_data,
                         {{Role::output_gradient, 0, output}, {Role::parameter, 0, weight}},
                         {{Role::input_gradient, 0, input}},
                         workspace});
  return spec;
}

/// Weights with the input's channels last, and a bias a channel.
WeightLayouts channels_last(const Site& site, Layouts& layouts) {
  const std::vector<ParameterSpec>& parameters = site.layer->parameters;
  return {layouts.parameter(parameters[0], site.type),
          parameters.size() > 1 ? layouts.parameter(parameters[1], site.type) : Layout{}};
}

}  // namespace

LayerSpec spec_of(const Convolution& op, const Site& site, Layouts& layouts) {
  const std::int64_t window = op.kernel_y * op.kernel_x * site.inputs[0].channels;
  return weighted(site, std::min(site.workspace_bytes, im2col_bytes(site, site.output, window)),
                  channels_last(site, layouts), layouts);
}

/// By the convolution from its output to its input.
LayerSpec spec_of(const Deconvolution& op, const Site& site, Layouts& layouts) {
  const std::int64_t window = op.kernel_y * op.kernel_x * op.outputs;
  LayerSpec spec = weighted(site, std::min(site.workspace_bytes, im2col_bytes(site, site.inputs[0], window)),
                            channels_last(site, layouts), layouts);
  spec.relu = ReluShare::nothing;  // no library fuses it
  return spec;
}

LayerSpec spec_of(const LocallyConnected& op, const Site& site, Layouts& layouts) {
  const std::int64_t window = op.kernel_y * op.kernel_x * site.inputs[0].channels;
  const Shape seen{site.inputs[0].channels, op.kernel_y, op.kernel_x};
  const std::int64_t positions = site.output.pixels();
  const WeightLayouts lie{layouts.local_weights(op.outputs, positions, seen, site.type),
                          op.bias ? layouts.local_bias(op.outputs, positions, site.type) : Layout{}};
  LayerSpec spec =
      weighted(site, std::min(site.workspace_bytes, im2col_bytes(site, site.output, window)), lie, layouts);
  spec.relu = ReluShare::nothing;
  return spec;
}

LayerSpec spec_of(const FullyConnected& op, const Site& site, Layouts& layouts) {
  WeightLayouts lie = channels_last(site, layouts);
  lie.weight = layouts.image_weights(op.outputs, site.inputs[0], site.type);
  return weighted(site, std::min(site.workspace_bytes, kMatrixWorkspace), lie, layouts);
}

}  // namespace convoy::sizes
