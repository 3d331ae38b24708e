#include "trainer/planner/recompute_sets.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/index.h"

namespace convoy {
namespace {

/// The activation values that later layers still take after each layer.
std::vector<std::int64_t> crossing(const Graph& graph) {
  std::vector<std::int64_t> values(graph.layers().size());
  for (const Activation& activation : graph.activations()) {
    if (activation.consumers.empty()) continue;
    const int last = *std::max_element(activation.consumers.begin(), activation.consumers.end());
    for (int i = std::max(activation.producer, 0); i < last; ++i)
      values[index(i)] += activation.shape.elements();
  }
  return values;
}

/// Layers after which to cut the network into `parts`: near equal sums of activations, where little crosses.
std::vector<int> cuts(const Graph& graph, int parts) {
  const std::vector<std::int64_t> across = crossing(graph);
  std::vector<double> before(graph.layers().size());
  double sum = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    sum += static_cast<double>(graph.output_shape(graph.layers()[i]).elements());
    before[i] = sum;
  }
  std::vector<int> chosen;
  for (int k = 1; k < parts; ++k) {
    const double target = sum * k / parts;
    const double slack = sum / (4 * parts);
    int best = -1;
    for (int i = 0; i + 1 < static_cast<int>(before.size()); ++i) {
      if (before[index(i)] < target - slack || before[index(i)] > target + slack) continue;
      if (best < 0 || across[index(i)] < across[index(best)]) best = i;
    }
    if (best >= 0 && (chosen.empty() || chosen.back() < best)) chosen.push_back(best);
  }
  return chosen;
}

/// All layers but losses and the givers of what crosses the cuts.
std::vector<int> all_but(const Graph& graph, const std::vector<int>& cuts) {
  std::vector<int> layers;
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i) {
    const Layer& layer = graph.layers()[index(i)];
    const std::vector<int>& consumers = graph.activations()[index(layer.output)].consumers;
    const bool crosses = std::any_of(cuts.begin(), cuts.end(), [&](int cut) {
      return i <= cut && std::any_of(consumers.begin(), consumers.end(), [&](int c) { return c > cut; });
    });
    if (!is_loss(layer.op) && !crosses) layers.push_back(i);
  }
  return layers;
}

}  // namespace

bool is_costly(const LayerOp& op) {
  return std::holds_alternative<Convolution>(op) || std::holds_alternative<Deconvolution>(op) ||
         std::holds_alternative<LocallyConnected>(op) || std::holds_alternative<FullyConnected>(op);
}

std::vector<RecomputeSet> recompute_sets(const Graph& graph) {
  std::vector<RecomputeSet> sets{{"nothing", {}}};
  RecomputeSet cheap{"the cheap layers", {}};
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i) {
    const LayerOp& op = graph.layers()[index(i)].op;
    if (!is_loss(op) && !is_costly(op)) cheap.layers.push_back(i);
  }
  sets.push_back(std::move(cheap));
  for (const int parts : {2, 3, 4, 6, 8, 12, 16, 24}) {
    const std::vector<int> chosen = cuts(graph, parts);
    if (chosen.empty()) continue;
    RecomputeSet set{fmt::format("all layers but {} checkpoints", chosen.size()), all_but(graph, chosen)};
    if (set.layers != sets.back().layers) sets.push_back(std::move(set));
  }
  return sets;
}

}  // namespace convoy
