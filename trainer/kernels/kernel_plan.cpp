#include "trainer/kernels/kernel_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "layers/core/clock.h"
#include "layers/core/error.h"
#include "layers/cpu/cold_timer.h"
#include "layers/cpu/cpu_backend.h"
#include "trainer/kernels/kernel_cache.h"
#include "trainer/planner/search_plan.h"

namespace convoy {
namespace {

class Chooser {
 public:
  Chooser(const Graph& graph, const PlanRequest& request, const KernelSettings& settings, Communicator& comm,
          std::unique_ptr<Backend> backend)
      : graph_(graph),
        request_(request),
        settings_(settings),
        comm_(comm),
        on_processor_(backend == nullptr) {
    made_.backend = std::move(backend);
  }

  KernelPlan run() {
    share(comm_.rank() == 0 ? known_before() : KernelTable{});
    plan();
    const KernelTrials before = kernels_.table.trials;
    share(comm_.rank() == 0 ? known_now() : KernelTable{});
    for (const auto& [problem, trial] : kernels_.table.trials) {
      if (before.contains(problem) || !trial.differs()) continue;
      plan_anew();
      break;
    }
    count();
    const bool fewer = made_.plan.request.batch < made_.plan.asked_batch;
    const bool tight = !made_.plan.fits() || fewer || slowdown(made_.plan) > 1;
    if (on_processor_ && kernels_.differ > 0 && (tight || request_.find_smallest)) try_usual();
    made_.layer_seconds =
        measured_layers(graph_, made_.plan, lowerings_, *made_.backend, kernels_.table.trials);
    made_.kernels = std::move(kernels_);
    return std::move(made_);
  }

 private:
  KernelTable known_before() {
    KernelTable table{on_processor_ ? cpu_kernel_conditions() : made_.backend->kernel_conditions(), {}};
    if (table.conditions.empty()) return table;  // of a backend without a choice
    if (!settings_.kept.empty()) {
      std::error_code unknown;
      if (!std::filesystem::exists(settings_.kept, unknown)) return table;
      try {
        return read_kernel_table(settings_.kept);
      } catch (const Error& problem) {
        warn(fmt::format("warning: {}; the usual kernels run", problem.what()));
      }
    } else if (!settings_.cache.empty()) {
      const KernelCache cache(settings_.cache, table.conditions);
      for (const std::string& warning : cache.warnings()) warn(warning);
      table.trials = cache.trials();
    }
    return table;
  }

  /// What is known of the problems that occur, after measuring.
  KernelTable known_now() {
    const std::set<std::string> all = problems();
    KernelTable table{kernels_.table.conditions, {}};
    for (const auto& [problem, trial] : kernels_.table.trials) {
      if (all.contains(problem)) table.trials.emplace(problem, trial);
    }
    const bool may = settings_.measure && settings_.kept.empty() && !table.conditions.empty();
    if (may && made_.plan.fits()) measure(table.trials);
    return table;
  }

  void measure(KernelTrials& trials) {
    const std::vector<KernelUse> uses = kernel_uses(graph_, made_.plan, lowerings_, *made_.backend);
    const auto start = Clock::now();
    KernelTrials found = trials;
    try {
      const double budget = settings_.budget_seconds;
      const std::int64_t bytes = on_processor_ ? request_.limit_bytes : made_.plan.arena_bytes();
      std::unique_ptr<KernelTimer> timer;
      if (settings_.make_timer) {
        timer = settings_.make_timer(budget, bytes);
      } else if (on_processor_) {
        timer = std::make_unique<ColdTimer>(budget, bytes);
      } else {
        timer = made_.backend->make_timer(budget, bytes);
      }
      if (timer == nullptr) return;
      measure_kernels(uses, *made_.backend, *timer, found);
    } catch (const Error& problem) {
      warn(fmt::format("warning: measuring kernels failed: {}", problem.what()));
    }
    for (const auto& [problem, trial] : trials) found.erase(problem);
    if (found.empty()) return;
    kernels_.measured = static_cast<int>(found.size());
    kernels_.seconds = seconds_since(start);
    KernelCache cache(settings_.cache, kernels_.table.conditions);
    cache.add(found);
    for (const std::string& warning : cache.warnings()) warn(warning);
    trials.merge(found);
  }

  /// All ranks go on with rank 0's table.
  void share(const KernelTable& table) {
    kernels_.table =
        comm_.size() == 1 ? table : KernelTable::parse(comm_.broadcast_string(table.text(), 0, "kernels"));
  }

  void plan() {
    lowerings_.clear();
    made_.plan = {};
    const KernelChoices choices = choices_of(kernels_.table.trials);
    if (on_processor_) {
      made_.backend = make_cpu_backend(choices);
    } else {
      made_.backend->choose_kernels(choices);
    }
    made_.plan = search_plan(graph_, request_, *made_.backend, &lowerings_);
  }

  /// With other choices; only on the processor do they change the plan.
  void plan_anew() {
    if (on_processor_) return plan();
    made_.backend->choose_kernels(choices_of(kernels_.table.trials));
  }

  /// Fast kernels that take more memory are not worth a recompute that the usual ones do without.
  void try_usual() {
    std::unique_ptr<Backend> backend = make_cpu_backend();
    Plan usual = search_plan(graph_, request_, *backend);
    if (request_.find_smallest || (!usual.fits() && !made_.plan.fits())) {
      usual.smallest_limit_bytes = made_.plan.smallest_limit_bytes =
          std::min(usual.smallest_limit_bytes, made_.plan.smallest_limit_bytes);
    }
    const std::int64_t batch = made_.plan.request.batch;
    const bool faster = usual.request.batch == batch && slowdown(usual) < slowdown(made_.plan);
    const bool better = !made_.plan.fits() || usual.request.batch > batch || faster;
    if (!usual.fits() || !better) return;
    lowerings_.clear();
    made_.plan = std::move(usual);
    made_.backend = std::move(backend);
    kernels_.table.trials.clear();
    kernels_.known = kernels_.differ = 0;
    kernels_.too_large = true;
  }

  /// Of what was done to make a plan fit.
  static double slowdown(const Plan& plan) {
    double factor = 1;
    for (const PlanAction& action : plan.actions) factor *= action.taken ? action.slowdown : 1;
    return factor;
  }

  std::set<std::string> problems() const {
    std::set<std::string> found;
    for (const auto& [segment, lowering] : lowerings_) {
      for (const LoweredSite& place : lowering.sites) found.insert(made_.backend->kernel_problem(place.site));
    }
    return found;
  }

  void count() {
    const std::vector<KernelUse> uses = kernel_uses(graph_, made_.plan, lowerings_, *made_.backend);
    kernels_.problems = static_cast<int>(uses.size());
    kernels_.known = 0;
    kernels_.differ = 0;
    for (const KernelUse& use : uses) {
      const auto trial = kernels_.table.trials.find(use.problem);
      if (trial == kernels_.table.trials.end()) continue;
      ++kernels_.known;
      if (trial->second.differs()) ++kernels_.differ;
    }
  }

  void warn(const std::string& text) {
    std::vector<std::string>& all = kernels_.warnings;
    if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
  }

  const Graph& graph_;
  const PlanRequest& request_;
  const KernelSettings& settings_;
  Communicator& comm_;
  bool on_processor_;
  Lowerings lowerings_;
  KernelPlan made_;
  ChosenKernels kernels_;
};

}  // namespace

KernelSettings measured_kernels() {
  KernelSettings settings;
  settings.cache = kernel_cache_folder();
  settings.measure = true;
  return settings;
}

KernelPlan plan_with_kernels(const Graph& graph, const PlanRequest& request, const KernelSettings& settings,
                             Communicator& comm, std::unique_ptr<Backend> backend) {
  return Chooser(graph, request, settings, comm, std::move(backend)).run();
}

}  // namespace convoy
