#pragma once

#include <algorithm>
#include <array>

#include "layers/cpu/channel_view.h"
#include "layers/cpu/lower.h"
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
  void gather(const T* from, float* to) const {
    std::fill_n(to, floats(), 0.F);
    length == kVector ? gather_runs<true>(*this, from, to) : gather_runs<false>(*this, from, to);
  }
  template <class T>
  void scatter(const float* from, T* to) const {
    length == kVector ? scatter_runs<true>(*this, from, to) : scatter_runs<false>(*this, from, to);
  }

 private:
  static constexpr std::int64_t kVector = 16;  ///< the most usual length, known to the compiler

  template <bool vector, class T>
  CONVOY_SIMD static void gather_runs(const LrnStrip& s, const T* __restrict from, float* __restrict to) {
    const std::int64_t count = vector ? kVector : s.length;
    for (std::int64_t g = 0; g < s.groups; ++g) {
      const T* there = from + s.offset + g * s.group_gap;
      float* here = to + s.lead + g * s.group_floats;
      for (std::int64_t r = 0; r < s.runs; ++r, there += s.run_gap, here += count) {
#pragma GCC unroll 1  // unrolled, bf16 values would not become vectors
        for (std::int64_t i = 0; i < count; ++i) here[i] = float(there[i]);
      }
    }
  }

  template <bool vector, class T>
  CONVOY_SIMD static void scatter_runs(const LrnStrip& s, const float* __restrict from, T* __restrict to) {
    const std::int64_t count = vector ? kVector : s.length;
    for (std::int64_t g = 0; g < s.groups; ++g) {
      const float* here = from + s.lead + g * s.group_floats;
      T* there = to + s.offset + g * s.group_gap;
      for (std::int64_t r = 0; r < s.runs; ++r, there += s.run_gap, here += count) {
#pragma GCC unroll 1  // unrolled, bf16 values would not become vectors
        for (std::int64_t i = 0; i < count; ++i) there[i] = T(here[i]);
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

/// Local response normalization by our own loops, in any layout that has a ChannelView.
Lowered lower_lrn_by_strips(const Lrn& op, const Site& site, Inputs inputs, Engine& engine);

}  // namespace convoy::cpu
