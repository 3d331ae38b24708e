#pragma once

#include <cmath>
#include <cstdint>

#include "layers/core/host_device.h"

namespace convoy {

/// What an update needs to know of all gradients before it changes the first weight, and what is kept of that
/// from one update to the next. It lies in the device's memory, where kernels read and write it, so that the
/// host need not wait for it; the same on all ranks.
struct UpdateState {
  double loss_scale = 1;             ///< multiplies the gradients of losses
  std::int64_t good_updates = 0;     ///< since the loss scale last changed
  std::int64_t skipped_updates = 0;  ///< that were left out because of an overflow
  std::int64_t stuck_at = -1;        ///< iteration of an overflow with a loss scale of 1; -1: none
  double gradient_norm = 0;          ///< of the last update, where gradients are clipped; 0: left out
  float gradient_scale = 1;          ///< multiplies gradients before the update
  std::int32_t skips_update = 0;     ///< 1: the weights stay as they are
};

/// How an update is decided.
struct UpdateRule {
  /// Losses are scaled, so that half types do not lose small gradients (Micikevicius et al. 2018, section
  /// 3.2): the scale is doubled after 2000 updates in a row without overflow, and halved at each overflow,
  /// whose update is left out.
  bool scales_loss = false;
  double clip_norm = 0;  ///< largest norm of the gradient; 0: it is not clipped
};

inline constexpr double kFirstLossScale = 65536;
inline constexpr double kLastLossScale = 0x1p24;  ///< sums of such gradients are far from fp32's bounds
inline constexpr std::int64_t kGoodUpdates = 2000;

/// The state before the first update.
inline UpdateState first_update_state(const UpdateRule& rule) {
  UpdateState state;
  if (rule.scales_loss) state.loss_scale = kFirstLossScale;
  return state;
}

/// From the sum of the squares of all gradients, which is finite when they all are. After an overflow with a
/// loss scale of 1, which cannot be its cause, nothing is updated any more.
CONVOY_HD inline void decide_update(const UpdateRule& rule, double squares, std::int64_t iteration,
                                    UpdateState& state) {
  state.gradient_norm = 0;
  state.skips_update = 0;
  if (rule.scales_loss && (state.stuck_at >= 0 || !(squares - squares == 0))) {
    state.skips_update = 1;
    state.good_updates = 0;
    if (state.stuck_at >= 0) return;
    if (state.loss_scale <= 1) {
      state.stuck_at = iteration;
      return;
    }
    state.loss_scale /= 2;
    ++state.skipped_updates;
    return;
  }
  double scale = 1 / state.loss_scale;
  if (rule.clip_norm > 0) {
    const double norm = scale * std::sqrt(squares);
    if (norm > rule.clip_norm) scale = scale * rule.clip_norm / norm;
    state.gradient_norm = norm;
  }
  state.gradient_scale = static_cast<float>(scale);
  if (!rule.scales_loss || ++state.good_updates < kGoodUpdates) return;
  state.good_updates = 0;
  if (state.loss_scale < kLastLossScale) state.loss_scale *= 2;
}

// What kernels ask of a state; null where nothing need be known of all gradients.
CONVOY_HD inline bool skips_update(const UpdateState* state) {
  return state != nullptr && state->skips_update != 0;
}
CONVOY_HD inline float gradient_scale_of(const UpdateState* state) {
  return state == nullptr ? 1.F : state->gradient_scale;
}
CONVOY_HD inline float loss_scale_of(const UpdateState* state) {
  return state == nullptr ? 1.F : static_cast<float>(state->loss_scale);
}

}  // namespace convoy
