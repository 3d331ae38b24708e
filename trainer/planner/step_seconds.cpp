#include "trainer/planner/step_seconds.h"

#include "trainer/planner/cost_model.h"

namespace convoy {

double step_seconds(const Graph& graph, const PlanRequest& request, const Way& way) {
  return CostModel(graph, request).seconds(way);
}

}  // namespace convoy
