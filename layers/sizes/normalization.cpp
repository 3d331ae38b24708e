#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/sizes/specs.h"

namespace convoy::sizes {
namespace {

/// Blocks of threads that add up apart: two for each multiprocessor of a large GPU.
constexpr std::int64_t kPartialSums = 256;

/// A function of each value with one or two parameters a channel (scale, PReLU).
LayerSpec per_channel(const Site& site, Layouts& layouts) {
  LayerSpec spec;
  const Layout layout = input_of(site, layouts);
  const std::vector<ParameterSpec>& parameters = site.layer->parameters;
  PassSpec forward{
      PassKind::forward, {{Role::input, 0, layout}}, {{Role::output, 0, layout}}, 0, !site.training};
  PassSpec backward{PassKind::backward,
                    {{Role::output_gradient, 0, layout}, {Role::input, 0, layout}},
                    {},
                    partial_sum_bytes(site, site.inputs[0], static_cast<int>(parameters.size()))};
  if (gives_gradient(site)) {
    backward.writes.push_back({Role::input_gradient, 0, layout});
    backward.in_place = true;
  }
  for (int p = 0; p < static_cast<int>(parameters.size()); ++p) {
    const ParameterSpec& parameter = parameters[static_cast<std::size_t>(p)];
    const Operand vector{Role::parameter, p, layouts.parameter(parameter, DType::f32)};
    forward.reads.push_back(vector);
    if (p == 0) backward.reads.push_back(vector);
    backward.writes.push_back({Role::parameter_gradient, p, layouts.parameter(parameter, site.type)});
  }
  spec.passes.push_back(std::move(forward));
  if (site.training) spec.passes.push_back(std::move(backward));
  return spec;
}

/// Batch norm over the statistics of all ranks: sums of this rank's values go out between passes, in fp64. A
/// ReLU after it stays a layer of its own.
LayerSpec shared_batch_norm(const Site& site, Layouts& layouts) {
  LayerSpec spec;
  const Shape shape = site.inputs[0];
  const Layout layout = input_of(site, layouts);
  const Layout vector = layouts.parameter(site.layer->parameters[0], DType::f32);
  const Layout gradient = layouts.parameter(site.layer->parameters[0], site.type);
  const Operand sums{Role::shared, 0, {-1, (2 * shape.channels + 1) * 8}};
  const Operand gradient_sums{Role::shared, 1, {-1, 2 * shape.channels * 8}};
  const Operand input{Role::input, 0, layout};
  const Operand output_gradient{Role::output_gradient, 0, layout};
  const Operand scale{Role::parameter, 0, vector};
  const std::int64_t parts = partial_sum_bytes(site, shape, 2);
  const std::int64_t factors =
      2 * round_up(shape.channels * 4, 256);  // by which each value of a channel goes
  spec.passes = {
      {PassKind::forward,
       {input, scale, {Role::parameter, 1, vector}, sums},
       {{Role::output, 0, layout}},
       factors},
      {PassKind::moments, {input}, {sums}, parts},
      {PassKind::statistics, {sums}, {{Role::statistic, 0, vector}, {Role::statistic, 1, vector}}, 0},
      {PassKind::gradient_moments,
       {output_gradient, input, sums},
       {gradient_sums, {Role::parameter_gradient, 0, gradient}, {Role::parameter_gradient, 1, gradient}},
       parts + factors}};
  if (!site.input_gradient[0]) return spec;
  spec.passes.push_back({PassKind::backward,
                         {output_gradient, input, sums, gradient_sums, scale},
                         {{Role::input_gradient, 0, layout}},
                         2 * factors,
                         true});
  return spec;
}

}  // namespace

std::int64_t partial_sum_bytes(const Site& site, Shape shape, int quantities) {
  return std::min(site.batch * shape.pixels(), kPartialSums) * shape.channels * quantities * 4;
}

LayerSpec spec_of(const Scale&, const Site& site, Layouts& layouts) { return per_channel(site, layouts); }
LayerSpec spec_of(const Prelu&, const Site& site, Layouts& layouts) { return per_channel(site, layouts); }

LayerSpec spec_of(const BatchNorm&, const Site& site, Layouts& layouts) {
  if (site.training && site.shared_statistics) return shared_batch_norm(site, layouts);
  LayerSpec spec;
  const Shape shape = site.inputs[0];
  const Layout layout = input_of(site, layouts);
  const ParameterSpec& parameter = site.layer->parameters[0];
  const Layout vector = layouts.parameter(parameter, DType::f32);
  const Layout gradient = layouts.parameter(parameter, site.type);
  if (site.relu_follows) spec.relu = ReluShare::all;
  PassSpec forward{PassKind::forward,
                   {{Role::input, 0, layout}, {Role::parameter, 0, vector}, {Role::parameter, 1, vector}},
                   {{Role::output, 0, layout}},
                   0};
  if (!site.training) {
    forward.reads.push_back({Role::state, 0, vector});
    forward.reads.push_back({Role::state, 1, vector});
    forward.in_place = true;
    spec.passes.push_back(std::move(forward));
    return spec;
  }
  spec.saved_bytes = 2 * round_up(shape.channels * 4, 256);
  const Layout saved{-1, spec.saved_bytes};
  forward.scratch_bytes = partial_sum_bytes(site, shape, 2);
  forward.writes.push_back({Role::saved, 0, saved});
  spec.passes.push_back(std::move(forward));
  spec.passes.push_back({PassKind::statistics,
                         {{Role::saved, 0, saved}},
                         {{Role::statistic, 0, vector}, {Role::statistic, 1, vector}},
                         0});
  // Beside the partial sums, the two sums of a channel in fp32 that the gradient of the input depends on.
  PassSpec backward{PassKind::backward,
                    {{Role::output_gradient, 0, layout},
                     {Role::input, 0, layout},
                     {Role::saved, 0, saved},
                     {Role::parameter, 0, vector}},
                    {},
                    partial_sum_bytes(site, shape, 2) + 2 * round_up(shape.channels * 4, 256)};
  if (site.relu_follows) backward.reads.push_back({Role::parameter, 1, vector});
  if (gives_gradient(site)) {
    backward.writes.push_back({Role::input_gradient, 0, layout});
    backward.in_place = true;
  }
  backward.writes.push_back({Role::parameter_gradient, 0, gradient});
  backward.writes.push_back({Role::parameter_gradient, 1, gradient});
  spec.passes.push_back(std::move(backward));
  return spec;
}

LayerSpec spec_of(const Lrn& op, const Site& site, Layouts& layouts) {
  LayerSpec spec;
  const Layout layout = input_of(site, layouts);
  spec.passes.push_back({PassKind::forward, {{Role::input, 0, layout}}, {{Role::output, 0, layout}}, 0});
  if (!gives_gradient(site)) return spec;
  const bool within = op.region == Lrn::Region::within;
  spec.passes.push_back({PassKind::backward_data,
                         {{Role::output_gradient, 0, layout}, {Role::input, 0, layout}},
                         {{Role::input_gradient, 0, layout}},
                         within ? site.batch * site.output.elements() * 4 : 0});
  return spec;
}

}  // namespace convoy::sizes
