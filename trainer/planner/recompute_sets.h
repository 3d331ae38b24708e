#pragma once

#include <string>
#include <vector>

#include "layers/graph/graph.h"

namespace convoy {

/// Layers whose outputs backward may make again in place of keeping them.
struct RecomputeSet {
  std::string name;         ///< for people: "the cheap layers", "all but 4 checkpoints"
  std::vector<int> layers;  ///< rising
};

/// What is worth trying: nothing; all layers that cost little beside a convolution (batch norm, ReLU, pooling
/// ...); and all layers but a few checkpoints, at places that cut the activations into about equal parts and
/// where few bytes cross (Chen et al. 2016). What a set saves is for the layout of its Program to tell.
std::vector<RecomputeSet> recompute_sets(const Graph& graph);

/// Whether the layer is a convolution or the like, beside which others cost little.
bool is_costly(const LayerOp& op);

}  // namespace convoy
