#include "layers/graph/arithmetic/loss.h"

#include "layers/graph/loss_reads.h"
#include "layers/sizes/specs.h"

namespace convoy::sizes {
namespace {

/// Any loss; scratch holds the samples' losses, and for maps their sums over positions.
LayerSpec loss(const Site& site, Layouts& layouts) {
  LayerSpec spec;
  const Layout scores = layouts.activation(site.inputs[0], site.batch, DType::f32);
  const std::int64_t sums = site.output.pixels() == 1 ? 0 : site.batch * site.output.channels * 4;
  spec.passes.push_back({PassKind::forward,
                         loss_reads({Role::input, 0, scores}, site),
                         {{Role::output, 0, scores}, {Role::metrics, 0, {-1, sizeof(Metrics)}}},
                         site.batch * static_cast<std::int64_t>(sizeof(SampleLoss)) + sums,
                         true});
  if (!gives_gradient(site)) return spec;
  spec.passes.push_back({PassKind::backward_data,
                         loss_gradient_reads({Role::output, 0, scores}, site),
                         {{Role::input_gradient, 0, scores}},
                         0,
                         true});
  return spec;
}

}  // namespace

LayerSpec spec_of(const SoftmaxLoss&, const Site& site, Layouts& layouts) { return loss(site, layouts); }
LayerSpec spec_of(const SquaredError&, const Site& site, Layouts& layouts) { return loss(site, layouts); }
LayerSpec spec_of(const Hinge&, const Site& site, Layouts& layouts) { return loss(site, layouts); }
LayerSpec spec_of(const SigmoidCrossEntropy&, const Site& site, Layouts& layouts) {
  return loss(site, layouts);
}

}  // namespace convoy::sizes
