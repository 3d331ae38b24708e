#include "trainer/plan_again.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/core/bytes.h"
#include "layers/core/error.h"

namespace convoy {

std::int64_t free_for_rank(const DeviceInfo& info, int ranks_here) {
  const std::int64_t share = info.free_bytes / ranks_here;
  return info.process_bytes > 0 ? std::min(share, info.process_bytes) : share;
}

bool all_have_arenas(const std::string& problem, const Plan& plan, const std::function<void()>& release,
                     const Device& device, int sharers, Communicator& comm, PlanRequest& request,
                     std::vector<Refusal>& refusals) {
  const std::vector<std::string> problems = comm.gather_strings(problem, "arenas");
  const auto first =
      std::find_if(problems.begin(), problems.end(), [](const std::string& text) { return !text.empty(); });
  if (first == problems.end()) return true;
  release();
  comm.barrier("release of arenas");
  std::int64_t limit = request.limit_bytes;
  if (!problem.empty()) {
    limit = free_for_rank(device.info(), sharers) - request.reserve_bytes;
    // A device may refuse what it calls free, when its memory is in pieces.
    if (limit >= plan.projected_bytes()) limit = plan.projected_bytes() - plan.arena_bytes() / 8;
    limit = std::max<std::int64_t>(limit, 1);
  }
  request.limit_bytes = comm.all_reduce(limit, Reduction::min, "memory limits");
  const auto rank = static_cast<int>(first - problems.begin());
  refusals.push_back({rank, plan.arena_bytes(), request.limit_bytes, *first});
  if (refusals.size() < kMostPlans) return false;
  fail(ExitCode::does_not_fit,
       "rank {} could not have its arena of {} ({}), nor those of {} plans before, each smaller than the "
       "last; "
       "see what else takes memory there, or set memory.limit to what the ranks can have",
       rank, format_bytes(plan.arena_bytes()), *first, kMostPlans - 1);
}

}  // namespace convoy
