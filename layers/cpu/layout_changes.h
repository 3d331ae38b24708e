#pragma once

#include <vector>

#include "layers/graph/backend.h"

namespace convoy::cpu {

struct LayoutChange {
  Layout from, to;
  bool of_weights = false;  ///< the same for any number of samples
};

/// The changes of layout that a layer with one weight makes necessary when its input comes as `input` and the
/// gradient is expected back so, and the layer after it takes `after` and gives its gradient so.
std::vector<LayoutChange> layout_changes(const LayerSpec& layer, const Layout& input, const Layout& after,
                                         Backend& backend);

}  // namespace convoy::cpu
