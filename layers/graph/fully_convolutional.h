#pragma once

#include <string>
#include <vector>

#include "layers/graph/graph.h"

namespace convoy {

/// A network in its convolutional form.
struct FullyConvolutional {
  Graph graph;
  std::vector<std::string> converted;  ///< layers that became convolutions, or pools over windows
  /// Layers that do something of their own at the edges of their input (padding, windows that hang over, LRN
  /// within channels, upsampling). In a larger image a window sees its neighbours there, not an edge, so its
  /// prediction is near that of the window alone, but not equal. Empty: they are equal.
  std::vector<std::string> edges;
};

/// The convolutional form of a network (Sermanet et al. 2014, "OverFeat"; Long, Shelhamer and Darrell 2015),
/// with `input` as its images' shape: the same channels, and at least as high and wide as those that the
/// network was made for. A fully connected layer becomes a convolution whose kernel is the whole of its input
/// in the original, so that its weights are the same values in the same order; a global pool becomes a pool
/// over windows of that size; flatten layers go; losses take maps; "same" padding of convolutions becomes the
/// padding that it is in the original. Layers keep their names.
///
/// At the original's own size the outputs are the original's. On a larger image they form a map: each
/// position is what the original says of the window of its own size there.
///
/// Error(usage) for a network that has nothing to convert or takes no larger images (locally connected
/// layers, crops and upsampling to a fixed size), for layers that tell flattened values apart, and for images
/// that are smaller.
FullyConvolutional fully_convolutional(const Graph& graph, Shape input);

}  // namespace convoy
