#pragma once

#include <string>
#include <vector>

#include "layers/graph/graph.h"
#include "trainer/storage/safetensors.h"

namespace convoy {

/// The weights and running statistics of the network `from` that a file holds, with the dimensions that the
/// tensors of the same names have in `to`, another form of that network (fully_convolutional): the values and
/// their order are the same. The views point into the file. What else the file holds, momentum for one, is
/// left out; so may the file leave out auxiliary heads.
///
/// Error(usage) that begins with `path` and names the first tensor that is missing, not fp32, or of another
/// shape than `from` needs.
std::vector<TensorView> reshaped_weights(const SafetensorsFile& file, const std::string& path,
                                         const Graph& from, const Graph& to);

}  // namespace convoy
