#pragma once

#include <cstdint>

namespace convoy {

/// The factor by which fp16 training multiplies its losses, so that small gradients are not lost
/// (Micikevicius et al. 2018, section 3.2): doubled after 2000 updates in a row without overflow, halved at
/// each overflow, whose update is left out.
class LossScale {
 public:
  struct State {
    double value = 65536;
    std::int64_t good_updates = 0;  ///< since it last changed
  };

  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }
  float value() const { return static_cast<float>(state_.value); }
  void good_update();
  /// Error(diverged) when the factor is 1 already: it cannot be the factor then. The same on all ranks.
  void overflow(std::int64_t iteration);

 private:
  State state_;
};

}  // namespace convoy
