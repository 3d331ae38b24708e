#include <algorithm>

#include "layers/sizes/specs.h"

namespace convoy::sizes {
namespace {

/// What backward reads beside the gradient of the output.
enum class Needs : std::uint8_t { nothing, input, output };

/// A function of single values, or of the channels of a pixel. It may write over its input unless backward
/// needs that.
LayerSpec unary(Needs needs, const Site& site, Layouts& layouts) {
  LayerSpec spec;
  const Layout layout = input_of(site, layouts);
  const bool gradient = gives_gradient(site);
  spec.passes.push_back({PassKind::forward,
                         {{Role::input, 0, layout}},
                         {{Role::output, 0, layout}},
                         0,
                         needs != Needs::input || !gradient});
  if (!gradient) return spec;
  PassSpec backward{PassKind::backward_data,
                    {{Role::output_gradient, 0, layout}},
                    {{Role::input_gradient, 0, layout}},
                    0,
                    true};
  if (needs != Needs::nothing)
    backward.reads.push_back({needs == Needs::input ? Role::input : Role::output, 0, layout});
  spec.passes.push_back(std::move(backward));
  return spec;
}

}  // namespace

LayerSpec spec_of(const Nonlinearity& op, const Site& site, Layouts& layouts) {
  return unary(op.backward_from_output() ? Needs::output : Needs::input, site, layouts);
}
LayerSpec spec_of(const Clip&, const Site& site, Layouts& layouts) {
  return unary(Needs::output, site, layouts);
}
LayerSpec spec_of(const Softmax&, const Site& site, Layouts& layouts) {
  return unary(Needs::output, site, layouts);
}
LayerSpec spec_of(const Dropout&, const Site& site, Layouts& layouts) {
  return unary(Needs::nothing, site, layouts);
}

/// The gradient of a sum goes on unchanged to every input.
LayerSpec spec_of(const Elementwise& op, const Site& site, Layouts& layouts) {
  using Kind = Elementwise::Kind;
  LayerSpec spec;
  const Layout layout = output_of(site, layouts);
  const bool gradient = site.training && std::find(site.input_gradient.begin(), site.input_gradient.end(),
                                                   true) != site.input_gradient.end();
  PassSpec forward{PassKind::forward, {}, {{Role::output, 0, layout}}, 0};
  PassSpec backward{PassKind::backward_data, {{Role::output_gradient, 0, layout}}, {}, 0};
  for (int i = 0; i < static_cast<int>(site.inputs.size()); ++i) {
    forward.reads.push_back({Role::input, i, layout});
    if (op.kind == Kind::product) backward.reads.push_back({Role::input, i, layout});
    if (site.input_gradient[static_cast<std::size_t>(i)])
      backward.writes.push_back({Role::input_gradient, i, layout});
  }
  if (op.kind == Kind::sum && site.relu_follows) spec.relu = ReluShare::forward;
  forward.in_place = op.kind != Kind::product || !gradient;
  backward.pass_through = op.kind == Kind::sum;
  backward.in_place = op.kind != Kind::sum;
  if (op.kind == Kind::maximum && gradient) {
    spec.saved_bytes = site.batch * site.output.elements();
    forward.writes.push_back({Role::saved, 0, {-1, spec.saved_bytes}});
    backward.reads.push_back({Role::saved, 0, {-1, spec.saved_bytes}});
  }
  spec.passes.push_back(std::move(forward));
  if (gradient) spec.passes.push_back(std::move(backward));
  return spec;
}

}  // namespace convoy::sizes
