#include "layers/sizes/specs.h"

namespace convoy::sizes {

LayerSpec spec_of(const Pooling& op, const Site& site, Layouts& layouts) {
  LayerSpec spec;
  const Layout input = input_of(site, layouts);
  const Layout output = output_of(site, layouts);
  PassSpec forward{PassKind::forward, {{Role::input, 0, input}}, {{Role::output, 0, output}}, 0};
  PassSpec backward{
      PassKind::backward_data, {{Role::output_gradient, 0, output}}, {{Role::input_gradient, 0, input}}, 0};
  const bool gradient = gives_gradient(site);
  if (op.kind == Pooling::Kind::max && gradient) {
    spec.saved_bytes =
        site.batch * site.output.elements() * (op.window(site.inputs[0]).pixels() <= 256 ? 1 : 4);
    const Layout saved{-1, spec.saved_bytes};
    forward.writes.push_back({Role::saved, 0, saved});
    backward.reads.push_back({Role::saved, 0, saved});
  }
  if (op.kind == Pooling::Kind::l2) {
    backward.reads.push_back({Role::input, 0, input});
    backward.reads.push_back({Role::output, 0, output});
  }
  spec.passes.push_back(std::move(forward));
  if (gradient) spec.passes.push_back(std::move(backward));
  return spec;
}

}  // namespace convoy::sizes
