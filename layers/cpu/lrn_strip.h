#pragma once

#include <algorithm>
#include <array>

#include "layers/cpu/channel_view.h"
#include "layers/cpu/simd.h"
#include "layers/graph/lrn.h"

namespace convoy::cpu {

/// Part of an activation on which local response normalization can work alone (all channels of some pixels,
/// or all pixels of some channels), and how its fp32 copy lies in a buffer: `lead` zeros, a body of groups of
/// runs, `lead` zeros. Neighbours are a step apart everywhere in the body, so that sums over windows are sums
/// of shifted copies, whatever the layout; zeros after each group keep windows from reaching into the next.
struct LrnStrip {
  std::int64_t offset = 0;                 ///< of the first value in the activation
  std::int64_t groups = 0, group_gap = 0;  ///< and from group to group there
  std::int64_t runs = 0, run_gap = 0;
  std::int64_t length = 0;        ///< values side by side
  std::int64_t group_floats = 0;  ///< from group to group in the buffer
  std::int64_t lead = 0;
  std::int64_t body = 0;
  std::array<std::int64_t, 2>
      steps{};  ///< to the neighbour along the first axis and the second, 0 without one

  std::int64_t floats() const { return body + 2 * lead; }
  void clear_ends(float* buffer) const {
    std::fill_n(buffer, lead, 0.F);
    std::fill_n(buffer + lead + body, lead, 0.F);
  }

  template <class T>
  CONVOY_SIMD void gather(const T* from, float* to) const {
    std::fill_n(to, floats(), 0.F);
    for_runs([&](std::int64_t there, std::int64_t here, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) to[here + i] = float(from[there + i]);
    });
  }

  template <class T>
  CONVOY_SIMD void scatter(const float* from, T* to) const {
    for_runs([&](std::int64_t there, std::int64_t here, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) to[there + i] = T(from[here + i]);
    });
  }

 private:
  template <class Body>
  void for_runs(Body&& copy) const {
    for (std::int64_t g = 0; g < groups; ++g) {
      for (std::int64_t r = 0; r < runs; ++r) {
        const std::int64_t there = offset + g * group_gap + r * run_gap;
        const std::int64_t here = lead + g * group_floats + r * length;
        length == 16 ? copy(there, here, 16) : copy(there, here, length);
      }
    }
  }
};

/// How the strips of a layer divide an activation.
class LrnStrips {
 public:
  LrnStrips() = default;
  LrnStrips(const Lrn& op, const ChannelView& view, std::int64_t width);

  std::int64_t tasks() const { return tasks_; }
  std::int64_t most_floats() const { return most_floats_; }  ///< of a buffer, a multiple of 16
  LrnStrip strip(std::int64_t task) const { return across_ ? across(task) : within(task); }

 private:
  LrnStrip across(std::int64_t task) const;
  LrnStrip within(std::int64_t task) const;

  ChannelView view_;
  bool across_ = true;
  std::int64_t reach_ = 0;
  std::int64_t width_ = 0;
  std::int64_t part_ = 0;   ///< pixels (across) or lanes (within) of a strip
  std::int64_t parts_ = 0;  ///< of a sample or of a block
  std::int64_t tasks_ = 0;
  std::int64_t most_floats_ = 0;
};

}  // namespace convoy::cpu
