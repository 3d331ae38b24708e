#pragma once

#include <string>
#include <vector>

#include "layers/core/dtype.h"
#include "layers/graph/graph.h"

namespace convoy {

/// For the rough models of time; by default about those of one present-day processor.
struct DeviceSpeed {
  double flops = 2e11;             ///< a second, with fp32
  double half_flops = 2e11;        ///< with a half type
  double bytes_per_second = 2e10;  ///< of its memory
  double launch_seconds = 5e-6;    ///< to start a kernel

  double flops_of(DType type) const { return type == DType::f32 ? flops : half_flops; }
};

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

/// Seconds of a layer's forward pass of one sample with activations of `type`, roughly: arithmetic or memory,
/// whichever takes longer. Only ratios of them mean something.
double forward_seconds(const Graph& graph, int layer, const DeviceSpeed& speed = {}, DType type = DType::f32);

}  // namespace convoy
