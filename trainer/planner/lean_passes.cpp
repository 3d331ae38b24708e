#include "trainer/planner/lean_passes.h"

#include <algorithm>
#include <numeric>

#include "trainer/planner/arena_bound.h"
#include "trainer/planner/cost_model.h"

namespace convoy {
namespace {

/// Of the bytes alive at the peak, what is worth the trouble.
constexpr double kLeastSaving = 0.02;
/// How many times the share of the time that is lost the share of the memory that is saved must be.
constexpr double kPriceOfTime = 1;

class LeanSearch {
 public:
  LeanSearch(const Graph& graph, const PlanRequest& request, Backend& backend, Lowerings& lowerings)
      : graph_(graph), request_(request), backend_(backend), lowerings_(lowerings), costs_(graph, request) {
    program_ = program_of(graph, request, backend, &lowerings);
    alive_ = bytes_alive(program_);
    peak_ = *std::max_element(alive_.begin(), alive_.end());
    const std::int64_t samples = program_.choices.train_samples.front();
    step_seconds_ = costs_.seconds({request.precision, kAnyWorkspace, {}, samples, 1});
  }

  LeanPasses run() {
    look();
    return best_.passes.empty() ? best_ : confirmed();
  }

 private:
  /// What the passes are worth that bring the peak down by so many bytes; 0: nothing.
  double worth(std::int64_t saved, double slowdown) const {
    const double share = static_cast<double>(saved) / static_cast<double>(peak_);
    return share < kLeastSaving ? 0 : std::max(share - kPriceOfTime * (slowdown - 1), 0.0);
  }

  /// Goes down from the fullest step, making one pass after the other lean, to the first step that has no
  /// scratch to spare.
  void look() {
    std::vector<std::size_t> fullest(alive_.size());
    std::iota(fullest.begin(), fullest.end(), 0);
    std::stable_sort(fullest.begin(), fullest.end(),
                     [&](std::size_t a, std::size_t b) { return alive_[a] > alive_[b]; });
    LeanPasses taken;
    std::int64_t left = 0;  // alive at the steps that were passed, without their scratch
    double most = 0;
    for (const std::size_t at : fullest) {
      taken.saved_bytes = peak_ - std::max(alive_[at], left);
      if (const double its = worth(taken.saved_bytes, taken.slowdown); its > most) {
        most = its;
        best_ = taken;
      }
      const Step& step = program_.steps[at];
      if (alive_[at] <= left || step.scratch < 0 || step.kind != StepKind::layer ||
          step.lowered->spec().cap == CapShare::nothing)
        return;
      left = std::max(left, alive_[at] - program_.tensors[static_cast<std::size_t>(step.scratch)].bytes);
      const LeanPass pass{step.layer, step.lowered->spec().passes[step.pass].kind};
      if (std::find(taken.passes.begin(), taken.passes.end(), pass) != taken.passes.end()) continue;
      taken.passes.push_back(pass);
      taken.names.push_back(step.name);
      taken.slowdown += costs_.lean_seconds(pass, share_of(request_)) / step_seconds_;
    }
  }

  /// The best passes, if their Program saves what they promise, or enough of it.
  LeanPasses confirmed() {
    PlanRequest lean = request_;
    std::sort(best_.passes.begin(), best_.passes.end());
    lean.lean = best_;
    best_.saved_bytes = peak_ - arena_lower_bound(graph_, lean, backend_, &lowerings_);
    return worth(best_.saved_bytes, best_.slowdown) > 0 ? best_ : LeanPasses{};
  }

  const Graph& graph_;
  const PlanRequest& request_;
  Backend& backend_;
  Lowerings& lowerings_;
  CostModel costs_;
  Program program_;
  std::vector<std::int64_t> alive_;  ///< by step
  std::int64_t peak_ = 0;
  double step_seconds_ = 0;
  LeanPasses best_;
};

}  // namespace

LeanPasses find_lean_passes(const Graph& graph, const PlanRequest& request, Backend& backend,
                            Lowerings& lowerings) {
  if (!request.training || request.workspace_bytes != kAnyWorkspace ||
      backend.usual_workspace() != kAnyWorkspace)
    return {};
  PlanRequest asked = request;
  asked.lean = {};
  asked.recompute.clear();
  asked.shard_optimizer = false;
  asked.evaluate = false;
  return LeanSearch(graph, asked, backend, lowerings).run();
}

}  // namespace convoy
