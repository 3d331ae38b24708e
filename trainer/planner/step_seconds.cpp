#include "trainer/planner/step_seconds.h"

#include "trainer/planner/recompute_sets.h"

namespace convoy {
namespace {

/// Of the time of a convolution, what an algorithm without workspace costs more.
constexpr double kWithoutWorkspace = 0.25;
/// Of the memory's bandwidth, what ranks give each other weights at.
constexpr double kGatherShare = 0.1;

double gather_seconds(const Graph& graph, const PlanRequest& request, const Way& way) {
  const double share = 1 - 1 / static_cast<double>(way.shards);  // a rank has its own slices
  return share * static_cast<double>(graph.parameters_training() * size_of(way.precision)) /
         (kGatherShare * request.speed.bytes_per_second);
}

}  // namespace

double step_seconds(const Graph& graph, const PlanRequest& request, const Way& way) {
  const std::int64_t share = share_of(request);
  const double missing = request.workspace_bytes == 0 ? 0
                                                      : 1 - static_cast<double>(way.workspace_bytes) /
                                                                static_cast<double>(request.workspace_bytes);
  const auto forward_of = [&](int layer) {
    const double seconds = forward_seconds(graph, layer, request.speed, way.precision);
    const bool costly = is_costly(graph.layers()[static_cast<std::size_t>(layer)].op);
    return costly ? seconds * (1 + kWithoutWorkspace * missing) : seconds;
  };
  double forward = 0;
  double again = 0;
  const auto layers = static_cast<int>(graph.layers().size());
  for (int i = 0; i < layers; ++i) forward += forward_of(i);
  for (const int i : way.recompute) again += forward_of(i);
  const double parts = static_cast<double>((share + way.micro_batch - 1) / way.micro_batch);
  const double each = request.speed.launch_seconds * static_cast<double>(layers) +
                      12 * static_cast<double>(graph.parameters_training()) / request.speed.bytes_per_second;
  return static_cast<double>(share) * (3 * forward + again) + parts * each +
         gather_seconds(graph, request, way);
}

}  // namespace convoy
