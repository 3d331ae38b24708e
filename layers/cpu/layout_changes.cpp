#include "layers/cpu/layout_changes.h"

#include <algorithm>

namespace convoy::cpu {

std::vector<LayoutChange> layout_changes(const LayerSpec& layer, const Layout& input, const Layout& after,
                                         Backend& backend) {
  std::vector<LayoutChange> changes;
  // A tensor that several passes take in one layout is changed once.
  const auto add = [&](const Layout& from, const Layout& to, bool of_weights = false) {
    const auto same = [&](const LayoutChange& one) { return one.from == from && one.to == to; };
    if (from == to || std::any_of(changes.begin(), changes.end(), same)) return;
    changes.push_back({from, to, of_weights});
  };
  const Layout weights = layer.passes[0].reads[1].layout;
  for (const PassSpec& pass : layer.passes) {
    const Layout& first = pass.reads[0].layout;
    const Layout& second = pass.reads[1].layout;
    const Layout& given = pass.writes[0].layout;
    switch (pass.kind) {
      case PassKind::forward:
        add(input, first);
        add(given, after);
        break;
      case PassKind::backward_weights:
        add(input, first);
        add(after, second);
        add(given, backend.master_layout(weights), true);
        break;
      default:
        add(after, first);
        add(weights, second, true);
        add(given, input);
    }
  }
  return changes;
}

}  // namespace convoy::cpu
