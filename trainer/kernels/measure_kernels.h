#pragma once

#include <map>
#include <string>
#include <vector>

#include "trainer/planner/plan.h"

namespace convoy {

/// What was measured, by problem (Backend::kernel_problem).
using KernelTrials = std::map<std::string, KernelTrial>;

/// A problem with a choice of kernels in the training of a network.
struct KernelUse {
  std::string problem;
  const LoweredSite* place = nullptr;  ///< one of the layers that are this problem
  double macs = 0;                     ///< of an iteration's forward passes, all of these layers
};

/// The problems of a plan's training, those of most work first. `lowerings` are those that the plan was made
/// from, and must outlive the result.
std::vector<KernelUse> kernel_uses(const Graph& graph, const Plan& plan, const Lowerings& lowerings,
                                   Backend& backend);

/// Tries the kernels of problems that are not in `known`, in their order, until the timer is late; adds what
/// it found.
void measure_kernels(const std::vector<KernelUse>& uses, Backend& backend, KernelTimer& timer,
                     KernelTrials& known);

/// KernelPlan::layer_seconds of a plan that was made from `lowerings` with the choices of `trials`.
std::vector<double> measured_layers(const Graph& graph, const Plan& plan, const Lowerings& lowerings,
                                    Backend& backend, const KernelTrials& trials);

/// What the trials found to be the fastest.
KernelChoices choices_of(const KernelTrials& trials);

}  // namespace convoy
