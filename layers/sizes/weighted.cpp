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

/// Forward, backward by weights, backward by data, each with up to `workspace` bytes of scratch.
LayerSpec weighted(const Site& site, std::int64_t workspace, Layouts& layouts) {
  LayerSpec spec;
  const std::vector<ParameterSpec>& parameters = site.layer->parameters;
  const Layout input = input_of(site, layouts);
  const Layout output = output_of(site, layouts);
  const Layout weight = layouts.parameter(parameters[0], site.type);
  const bool bias = parameters.size() > 1;
  if (site.relu_follows) spec.relu = ReluShare::forward;
  PassSpec forward{PassKind::forward,
                   {{Role::input, 0, input}, {Role::parameter, 0, weight}},
                   {{Role::output, 0, output}},
                   workspace};
  if (bias) forward.reads.push_back({Role::parameter, 1, layouts.parameter(parameters[1], DType::f32)});
  spec.passes.push_back(std::move(forward));
  if (!site.training) return spec;
  PassSpec weights{PassKind::backward_weights,
                   {{Role::input, 0, input}, {Role::output_gradient, 0, output}},
                   {{Role::parameter_gradient, 0, weight}},
                   workspace};
  if (bias) {
    weights.writes.push_back({Role::parameter_gradient, 1, layouts.parameter(parameters[1], site.type)});
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

}  // namespace

LayerSpec spec_of(const Convolution& op, const Site& site, Layouts& layouts) {
  const std::int64_t window = op.kernel_y * op.kernel_x * site.inputs[0].channels;
  return weighted(site, std::min(site.workspace_bytes, im2col_bytes(site, site.output, window)), layouts);
}

/// By the convolution from its output to its input.
LayerSpec spec_of(const Deconvolution& op, const Site& site, Layouts& layouts) {
  const std::int64_t window = op.kernel_y * op.kernel_x * op.outputs;
  LayerSpec spec =
      weighted(site, std::min(site.workspace_bytes, im2col_bytes(site, site.inputs[0], window)), layouts);
  spec.relu = ReluShare::nothing;  // no library fuses it
  return spec;
}

LayerSpec spec_of(const LocallyConnected& op, const Site& site, Layouts& layouts) {
  const std::int64_t window = op.kernel_y * op.kernel_x * site.inputs[0].channels;
  LayerSpec spec =
      weighted(site, std::min(site.workspace_bytes, im2col_bytes(site, site.output, window)), layouts);
  spec.relu = ReluShare::nothing;
  return spec;
}

LayerSpec spec_of(const FullyConnected&, const Site& site, Layouts& layouts) {
  return weighted(site, std::min(site.workspace_bytes, kMatrixWorkspace), layouts);
}

}  // namespace convoy::sizes
