#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "layers/device/device.h"
#include "trainer/planner/plan.h"

namespace convoy {

/// How many plans a job may make before an arena that cannot be had ends it.
inline constexpr std::size_t kMostPlans = 5;

/// Bytes that one of `ranks_here` ranks could have on a device now.
std::int64_t free_for_rank(const DeviceInfo& info, int ranks_here);

/// All ranks tell each other whether they got the arena that `plan` asks for: `problem` says why not, or is
/// "". Where all did, true. Otherwise each lets go of its own (`release`), the ranks that failed say what is
/// free now for one of `sharers`, and request.limit_bytes becomes the least of it less the reserve, below
/// what was refused; what happened is added to `refusals`, the same on every rank: false. Error(does_not_fit)
/// that names the rank after kMostPlans plans.
bool all_have_arenas(const std::string& problem, const Plan& plan, const std::function<void()>& release,
                     const Device& device, int sharers, Communicator& comm, PlanRequest& request,
                     std::vector<Refusal>& refusals);

}  // namespace convoy
