#include "trainer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace convoy {

double learning_rate(const Job::Optimizer& optimizer, const Job::Schedule& schedule, double epoch,
                     double epochs) {
  const double base = optimizer.learning_rate;
  if (epoch < schedule.warmup_epochs) {
    const double rise = schedule.warmup_type == "constant" ? 0 : epoch / schedule.warmup_epochs;
    return base * (schedule.warmup_start + (1 - schedule.warmup_start) * rise);
  }
  const double rest = epochs - schedule.warmup_epochs;
  const double progress = rest > 0 ? std::clamp((epoch - schedule.warmup_epochs) / rest, 0.0, 1.0) : 1.0;
  double factor = 1;
  if (schedule.type == "step") {
    factor = std::pow(schedule.gamma, std::floor(epoch / schedule.step_epochs));
  } else if (schedule.type == "multi_step") {
    const auto passed = std::count_if(schedule.milestones.begin(), schedule.milestones.end(),
                                      [&](double m) { return epoch >= m; });
    factor = std::pow(schedule.gamma, static_cast<double>(passed));
  } else if (schedule.type == "polynomial") {
    factor = schedule.final + (1 - schedule.final) * std::pow(1 - progress, schedule.power);
  } else if (schedule.type == "cosine") {
    factor = schedule.final + (1 - schedule.final) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  }
  return base * factor;
}

}  // namespace convoy
