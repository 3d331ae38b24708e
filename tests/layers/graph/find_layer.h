#pragma once

#include <stdexcept>
#include <string>

#include "layers/graph/graph.h"

namespace convoy {

/// The layer of that name.
inline const Layer& layer_of(const Graph& graph, const std::string& name) {
  for (const Layer& layer : graph.layers()) {
    if (layer.name == name) return layer;
  }
  throw std::runtime_error("no layer " + name);
}

}  // namespace convoy
