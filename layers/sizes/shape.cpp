#include "layers/sizes/specs.h"

namespace convoy::sizes {
namespace {

/// Copies of values from the inputs to the output; backward copies their gradients back. Of the inputs only
/// the first `read` are read, but all may want a gradient.
LayerSpec copy(const Site& site, Layouts& layouts, std::size_t read, bool in_place = false) {
  LayerSpec spec;
  const Layout output = output_of(site, layouts);
  PassSpec forward{PassKind::forward, {}, {{Role::output, 0, output}}, 0, in_place};
  PassSpec backward{PassKind::backward_data, {{Role::output_gradient, 0, output}}, {}, 0, in_place};
  for (std::size_t i = 0; i < site.inputs.size(); ++i) {
    const Layout input = input_of(site, layouts, i);
    if (i < read) forward.reads.push_back({Role::input, static_cast<int>(i), input});
    if (site.training && site.input_gradient[i])
      backward.writes.push_back({Role::input_gradient, static_cast<int>(i), input});
  }
  spec.passes.push_back(std::move(forward));
  if (!backward.writes.empty()) spec.passes.push_back(std::move(backward));
  return spec;
}

}  // namespace

LayerSpec spec_of(const Concat&, const Site& site, Layouts& layouts) {
  return copy(site, layouts, site.inputs.size());
}
LayerSpec spec_of(const ChannelSlice&, const Site& site, Layouts& layouts) { return copy(site, layouts, 1); }
LayerSpec spec_of(const PadChannels&, const Site& site, Layouts& layouts) { return copy(site, layouts, 1); }
LayerSpec spec_of(const Upsample&, const Site& site, Layouts& layouts) { return copy(site, layouts, 1); }
LayerSpec spec_of(const Crop&, const Site& site, Layouts& layouts) { return copy(site, layouts, 1); }

/// A vector counts its values channel by channel: other than those of an image of one pixel or one channel,
/// they change places.
LayerSpec spec_of(const Flatten&, const Site& site, Layouts& layouts) {
  const Shape shape = site.inputs[0];
  return copy(site, layouts, 1, shape.pixels() == 1 || shape.channels == 1);
}

}  // namespace convoy::sizes
