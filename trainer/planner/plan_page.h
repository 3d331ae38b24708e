#pragma once

#include <string>

#include "trainer/planner/plan.h"

namespace convoy {

/// A plan as one page of HTML that is well-formed XML too: no script, nothing from elsewhere, below 1 MiB for
/// networks of thousands of tensors. The ledger against the limit, the arena as a map (plan_map.h), what was
/// done and tried to make it fit, what makes the peak, and why it does not fit where it does not.
std::string plan_page(const Plan& plan, const Graph& graph);

}  // namespace convoy
