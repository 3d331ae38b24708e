#include "trainer/kernels/measure_kernels.h"

#include <algorithm>

namespace convoy {

std::vector<KernelUse> kernel_uses(const Graph& graph, const Plan& plan, const Lowerings& lowerings,
                                   Backend& backend) {
  std::vector<KernelUse> uses;
  const Choices& choices = plan.program.choices;
  for (const std::int64_t samples : choices.train_samples) {
    const auto lowering = lowerings.find(lowering_key(SegmentKind::train, samples, choices));
    if (lowering == lowerings.end()) continue;
    for (const LoweredSite& place : lowering->second.sites) {
      const std::string problem = backend.kernel_problem(place.site);
      if (problem.empty()) continue;
      auto use = std::find_if(uses.begin(), uses.end(),
                              [&](const KernelUse& other) { return other.problem == problem; });
      if (use == uses.end()) use = uses.insert(uses.end(), {problem, &place, 0});
      const Layer& layer = *place.site.layer;
      use->macs += static_cast<double>(macs_of(layer.op, graph.input_shapes(layer)) * samples);
    }
  }
  std::stable_sort(uses.begin(), uses.end(),
                   [](const KernelUse& a, const KernelUse& b) { return a.macs > b.macs; });
  return uses;
}

void measure_kernels(const std::vector<KernelUse>& uses, Backend& backend, KernelTimer& timer,
                     KernelTrials& known) {
  for (const KernelUse& use : uses) {
    if (known.contains(use.problem)) continue;
    if (timer.late()) return;
    const std::optional<KernelTrial> trial = backend.try_kernels(use.place->site, use.place->inputs, timer);
    if (trial) known.emplace(use.problem, *trial);
  }
}

std::vector<double> measured_layers(const Graph& graph, const Plan& plan, const Lowerings& lowerings,
                                    Backend& backend, const KernelTrials& trials) {
  const Choices& choices = plan.program.choices;
  if (choices.train_samples.empty()) return {};
  const auto lowering =
      lowerings.find(lowering_key(SegmentKind::train, choices.train_samples.front(), choices));
  if (lowering == lowerings.end()) return {};
  std::vector<double> seconds;
  for (const LoweredSite& place : lowering->second.sites) {
    const auto trial = trials.find(backend.kernel_problem(place.site));
    if (trial == trials.end()) continue;
    const auto way = trial->second.seconds.find(trial->second.chosen);
    if (way == trial->second.seconds.end()) continue;
    const double samples = backend.trial_share(place.site) * static_cast<double>(place.site.batch);
    seconds.resize(graph.layers().size());
    seconds[static_cast<std::size_t>(place.site.layer_index)] = way->second / samples;
  }
  return seconds;
}

KernelChoices choices_of(const KernelTrials& trials) {
  KernelChoices choices;
  for (const auto& [problem, trial] : trials) choices.emplace(problem, trial.chosen);
  return choices;
}

}  // namespace convoy
