#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/kernels/trials_json.h"

namespace convoy {

/// Where the choice among kernels comes from. Nothing set: rules of thumb alone. Rank 0's count.
struct KernelSettings {
  std::string kept;           ///< file of choices to take and no others; that it is missing means none
  std::string cache;          ///< folder of what was measured before; "": none
  bool measure = false;       ///< what is not known yet, in training
  double budget_seconds = 2;  ///< for measuring; the last trial may take as long again
  /// Makes the timer for a budget and the bytes that measuring may take; empty: a ColdTimer on the processor,
  /// otherwise the backend's.
  std::function<std::unique_ptr<KernelTimer>(double, std::int64_t)> make_timer;
};

/// What users get: measured before (kernel_cache_folder) or now.
KernelSettings measured_kernels();

/// What was found, the same on every rank but for the warnings.
struct ChosenKernels {
  KernelTable table;       ///< trials of the problems that occur
  int problems = 0;        ///< of training
  int known = 0;           ///< of these, measured before or now
  int measured = 0;        ///< of these, now
  int differ = 0;          ///< of these, that run another way than the usual
  double seconds = 0;      ///< spent on measuring
  bool too_large = false;  ///< they take more memory than there is, so the usual ones run
  std::vector<std::string> warnings;

  /// "kernels: 5 of 14 problems run ... ", or "" where there is nothing to tell.
  std::string line() const;
  /// A table of the problems: way and time, and what else was tried.
  std::vector<std::string> details() const;
};

/// A plan, and the backend that lowered it.
struct KernelPlan {
  std::unique_ptr<Backend> backend;
  Plan plan;
  ChosenKernels kernels;
  /// Of the layers whose kernels were measured, what all their passes take in training, a sample; by layer, 0
  /// for the others. Empty where no kernel of the plan was measured.
  std::vector<double> layer_seconds;
};

/// Plans a job (search_plan) with kernels chosen as `settings` say; all ranks get the choices of rank 0,
/// which measures while the others wait. Without `backend` for the processor, whose kernels decide what
/// memory they take: where the job fits with the usual kernels only, or with them needs less recompute and
/// larger micro-batches, it is planned with these; the calling thread's number of threads counts. With a
/// backend whose sizes do not depend on the choice (Backend::choose_kernels) that one plans, and is given
/// back in the result; measuring takes at most the memory of the plan's arena, which must not have been taken
/// yet.
KernelPlan plan_with_kernels(const Graph& graph, const PlanRequest& request, const KernelSettings& settings,
                             Communicator& comm, std::unique_ptr<Backend> backend = nullptr);

}  // namespace convoy
