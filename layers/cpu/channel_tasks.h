#pragma once

#include <algorithm>
#include <array>

#include "layers/cpu/channel_view.h"

namespace convoy::cpu {

/// Values of one column of up to 16 channels, or of one channel alone, side by side: rows of `width` values,
/// `stride` apart.
struct Tile {
  std::int64_t offset = 0;
  std::int64_t rows = 0;
  std::int64_t stride = 0;
  std::int64_t width = 0;
  std::int64_t channel = 0;  ///< of the first value
};
inline constexpr std::int64_t kTileWidth = 16;
using Lanes = std::array<float, kTileWidth>;

/// An activation cut into tasks of fixed size, and each task into tiles. Sums over a channel are left by
/// every task in a part of its own and added up in order, so that they do not depend on the number of
/// threads.
class ChannelTasks {
 public:
  ChannelTasks() = default;
  explicit ChannelTasks(const ChannelView& view)
      : view_(view),
        pixels_a_task_(std::max<std::int64_t>(1, kTaskElements / view.lanes)),
        chunks_((view.pixels + pixels_a_task_ - 1) / pixels_a_task_) {}

  const ChannelView& view() const { return view_; }
  std::int64_t count() const { return view_.samples * view_.blocks * chunks_; }
  /// Values of the parts of one sum: of each task one a lane.
  std::int64_t part_values() const { return count() * view_.lanes; }

  /// Calls `body` with each tile of a task.
  template <class Body>
  void for_tiles(std::int64_t task, Body&& body) const {
    const std::int64_t block = task / chunks_ % view_.blocks;
    const std::int64_t first = task % chunks_ * pixels_a_task_;
    const std::int64_t count = std::min(pixels_a_task_, view_.pixels - first);
    const std::int64_t offset = view_.offset(task / chunks_ / view_.blocks, block, first);
    if (view_.lanes == 1) {
      const std::int64_t whole = count / kTileWidth;
      const std::int64_t rest = count % kTileWidth;
      if (whole > 0) body(Tile{offset, whole, kTileWidth, kTileWidth, block});
      if (rest > 0) body(Tile{offset + whole * kTileWidth, 1, kTileWidth, rest, block});
      return;
    }
    for (std::int64_t l = 0; l < view_.lanes; l += kTileWidth) {
      body(Tile{offset + l, count, view_.lanes, std::min(kTileWidth, view_.lanes - l),
                block * view_.lanes + l});
    }
  }

  /// The values of a tile's channels, 0 in padding; with `one_for_all` values[0] for each channel.
  Lanes lanes_of(const float* values, const Tile& tile, bool one_for_all = false) const {
    Lanes lanes{};
    if (values == nullptr) return lanes;
    for (std::int64_t k = 0; k < kTileWidth; ++k) {
      const std::int64_t channel = view_.lanes == 1 ? tile.channel : tile.channel + k;
      if (channel < view_.channels) lanes[static_cast<std::size_t>(k)] = values[one_for_all ? 0 : channel];
    }
    return lanes;
  }

  /// Clears a task's part of a sum, before its tiles add to it.
  void clear_part(float* parts, std::int64_t task) const {
    std::fill_n(parts + task * view_.lanes, view_.lanes, 0.F);
  }
  /// Adds a tile's sums by lane to the part of its task.
  void add_to_part(float* parts, std::int64_t task, const Tile& tile, const Lanes& sums) const {
    float* part = parts + task * view_.lanes + (view_.lanes > 1 ? tile.channel % view_.lanes : 0);
    for (std::int64_t k = 0; k < tile.width; ++k)
      part[view_.lanes > 1 ? k : 0] += sums[static_cast<std::size_t>(k)];
  }

  /// The sum of all parts of one channel.
  double sum_of(const float* parts, std::int64_t channel) const {
    const std::int64_t block = channel / view_.lanes;
    double sum = 0;
    for (std::int64_t n = 0; n < view_.samples; ++n) {
      for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
        const std::int64_t task = (n * view_.blocks + block) * chunks_ + chunk;
        sum += static_cast<double>(parts[task * view_.lanes + channel % view_.lanes]);
      }
    }
    return sum;
  }

 private:
  static constexpr std::int64_t kTaskElements = 1 << 14;

  ChannelView view_;
  std::int64_t pixels_a_task_ = 1;
  std::int64_t chunks_ = 1;
};

}  // namespace convoy::cpu
