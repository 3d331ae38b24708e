#include "trainer/program/segment_builder.h"

#include <algorithm>
#include <set>

namespace convoy {

// Activations that backward makes again in place of keeping them (Chen et al. 2016, "Training deep nets with
// sublinear memory cost"). A layer's forward pass runs a second time on the same values and gives the same
// bits; its statistics pass does not, so that running statistics are updated once, and dropout draws the same
// mask from the same counter.

void SegmentBuilder::drop_recomputed() {
  const std::vector<int>& chosen = program_.choices.recompute;
  if (chosen.empty()) return;
  // Layers that work in place share one tensor, and its values can only be made again all together.
  std::set<int> kept{values_[0].tensor};
  for (int i = 0; i < static_cast<int>(graph_.layers().size()); ++i) {
    const Layer& layer = graph_.layers()[at(i)];
    const bool again = std::binary_search(chosen.begin(), chosen.end(), i);
    if (again && is_loss(layer.op))
      fail(ExitCode::internal, "layer \"{}\": a loss is never recomputed", layer.name);
    if (!again && !is_identity(i)) kept.insert(values_[at(layer.output)].tensor);
  }
  for (const Layer& layer : graph_.layers()) {
    Value& value = values_[at(layer.output)];
    if (kept.contains(value.tensor)) continue;
    value.dropped = true;
    value.copies.clear();
  }
}

void SegmentBuilder::ensure(int activation) {
  Value& value = values_[at(activation)];
  if (!value.dropped) return;
  const int giver = graph_.activations()[at(activation)].producer;
  if (is_identity(giver)) {
    ensure(graph_.layers()[at(giver)].inputs[0]);
    return share_value(giver);
  }
  value = {};
  run_passes(giver, PassKind::forward, true);
}

}  // namespace convoy
