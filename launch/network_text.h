#pragma once

#include <cstdint>
#include <string>

#include "layers/graph/graph.h"

namespace convoy {

/// "64x56x56", or "1000" for a vector.
std::string shape_text(Shape shape);

/// A table of a network's layers, 120 columns wide for the usual names: output, parameters,
/// multiply-accumulates, bytes of the output at `batch` images in fp32, and what one value of the output sees
/// of the image: so many pixels, so many pixels from one value to the next, the first window beginning at an
/// offset. Sums stand below.
std::string network_table(const Graph& graph, std::int64_t batch);

/// The network as a drawing for Graphviz (`dot -Tsvg`): a node a layer, a cluster a block.
std::string network_dot(const Graph& graph);

}  // namespace convoy
