#include "trainer/loss_scale.h"

#include "layers/core/error.h"

namespace convoy {
namespace {

constexpr std::int64_t kPatience = 2000;
constexpr double kMost = 0x1p24;  // sums of such gradients are still far from fp32's bounds

}  // namespace

void LossScale::good_update() {
  if (++state_.good_updates < kPatience) return;
  state_.good_updates = 0;
  if (state_.value < kMost) state_.value *= 2;
}

void LossScale::overflow(std::int64_t iteration) {
  state_.good_updates = 0;
  if (state_.value <= 1) {
    fail(ExitCode::diverged,
         "gradients are not finite after update {}, with a loss scale of 1; lower optimizer.learning_rate, "
         "add "
         "schedule.warmup_epochs or train.clip_norm, or use precision = \"bf16\"",
         iteration);
  }
  state_.value /= 2;
}

}  // namespace convoy
