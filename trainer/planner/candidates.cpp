#include "trainer/planner/candidates.h"

#include <algorithm>

#include "trainer/planner/arena_bound.h"

namespace convoy {
namespace {

/// Of the exact search, for asking whether something fits: mostly it is found at once or not at all, and many
/// are asked. Only what would be refused is laid out with more effort, and of that the few ways whose lower
/// bounds are the least: always the same ones with the same effort, so that the least limit that a refusal
/// names is found again under that limit.
constexpr std::int64_t kQuickEffort = LayoutOptions::kSecond / 100;
constexpr LayoutOptions kMoreEffort{.effort = LayoutOptions::kSecond / 50};
constexpr std::size_t kMostWithMoreEffort = 3;
constexpr LayoutOptions kFirstFit{.effort = 0};

/// Of a plan that fits already, the exact search is worth its time only for more than this part of the arena.
constexpr LayoutOptions kNearlyTight{.effort = kQuickEffort / 2, .tolerated = 0.005};

/// Those that more effort goes into.
std::vector<LaidOut> most_promising(std::vector<LaidOut> ways) {
  std::erase_if(ways, [](const LaidOut& way) { return way.bytes == way.lower_bound; });
  std::stable_sort(ways.begin(), ways.end(),
                   [](const LaidOut& a, const LaidOut& b) { return a.lower_bound < b.lower_bound; });
  ways.resize(std::min(ways.size(), kMostWithMoreEffort));
  return ways;
}

}  // namespace

Candidates::Candidates(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings,
                       const SearchSpace& space, const Plan& asked)
    : graph_(graph),
      backend_(backend),
      lowerings_(lowerings),
      space_(space),
      available_(request.available_bytes()),
      beside_(asked.projected_bytes() - asked.arena_bytes()),
      asked_seconds_(space.seconds(space.as_asked(), space.asked_size())) {}

Plan Candidates::plan(const Choice& choice, std::int64_t micro_batch, const LayoutOptions& layout) {
  return make_plan(graph_, space_.request_for(choice, micro_batch), backend_, &lowerings_, layout);
}

/// Looks for a layout within the limit, and no further.
LayoutOptions Candidates::within_limit() const { return {.effort = kQuickEffort, .enough = available_}; }

LaidOut Candidates::bound(const Choice& choice, std::int64_t micro_batch) {
  return {choice, micro_batch, 0,
          arena_lower_bound(graph_, space_.request_for(choice, micro_batch), backend_, &lowerings_)};
}

bool Candidates::fits(const Choice& choice, std::int64_t micro_batch) {
  const Key key{choice.key(), micro_batch};
  if (const auto known = found_.find(key); known != found_.end()) return known->second.fits;
  LaidOut way = bound(choice, micro_batch);
  const bool may = way.lower_bound <= available_;
  if (may) way.bytes = plan(choice, micro_batch, within_limit()).arena_bytes();
  const Found found{may && way.bytes <= available_, may ? way.bytes : way.lower_bound};
  alternatives_.push_back({space_.text_of(choice, micro_batch), found.bytes + beside_,
                           space_.seconds(choice, micro_batch) / asked_seconds_, found.fits});
  all_.push_back(way);
  found_[key] = found;
  return found.fits;
}

std::int64_t Candidates::bytes_of(const Choice& choice, std::int64_t micro_batch) const {
  const auto known = found_.find({choice.key(), micro_batch});
  return known == found_.end() ? 0 : known->second.bytes;
}

std::vector<LaidOut> Candidates::nearly_fitting() const {
  std::vector<LaidOut> ways = most_promising(all_);
  std::erase_if(ways, [&](const LaidOut& way) { return way.lower_bound > available_; });
  return ways;
}

LaidOut Candidates::least_of(std::vector<LaidOut> ways) {
  std::stable_sort(ways.begin(), ways.end(),
                   [](const LaidOut& a, const LaidOut& b) { return a.lower_bound < b.lower_bound; });
  LaidOut least;
  for (LaidOut& way : ways) {
    if (least.bytes > 0 && way.lower_bound >= least.bytes) break;
    if (way.bytes == 0) way.bytes = plan(way.choice, way.micro_batch, kFirstFit).arena_bytes();
    if (least.bytes == 0 || way.bytes < least.bytes) least = way;
  }
  for (LaidOut way : most_promising(std::move(ways))) {
    if (way.lower_bound >= least.bytes) break;
    way.bytes = plan_with_effort(way.choice, way.micro_batch).arena_bytes();
    if (way.bytes < least.bytes) least = way;
  }
  return least;
}

Plan Candidates::final_plan(const Choice& choice, std::int64_t micro_batch) {
  Plan taken = plan(choice, micro_batch, kNearlyTight);
  if (!taken.fits()) taken = plan_with_effort(choice, micro_batch);
  if (!taken.fits()) taken = plan(choice, micro_batch, within_limit());  // spent its effort on another piece
  return taken;
}

Plan Candidates::plan_with_effort(const Choice& choice, std::int64_t micro_batch) {
  return plan(choice, micro_batch, kMoreEffort);
}

std::int64_t Candidates::most_alive(const Choice& choice, std::int64_t micro_batch) {
  const auto alive =
      bytes_alive(program_of(graph_, space_.request_for(choice, micro_batch), backend_, &lowerings_));
  return *std::max_element(alive.begin(), alive.end());
}

}  // namespace convoy
