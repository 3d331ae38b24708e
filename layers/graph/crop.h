#pragma once

#include <optional>

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// A part of each map: of the height and width of a second input, whose values do not count (Caffe's Crop
/// along the axes of the image), or of a given size. The second input gets a gradient of zeros.
struct Crop : LayerDefaults {
  std::optional<std::pair<std::int64_t, std::int64_t>> size;  ///< none: that of the second input
  std::int64_t offset_y = 0, offset_x = 0;
  bool centered = false;  ///< the offset is half of what is cut away, rounded down

  static Crop read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "crop"; }
  Shape output(std::span<const Shape> inputs) const;
  /// Row and column of the input where the part begins.
  std::pair<std::int64_t, std::int64_t> begin(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {}; }
  std::size_t least_inputs() const { return size ? 1 : 2; }
  std::size_t most_inputs() const { return size ? 1 : 2; }
  Window window_y() const { return {.padding = -offset_y}; }
  Window window_x() const { return {.padding = -offset_x}; }
  friend bool operator==(const Crop&, const Crop&) = default;
};

}  // namespace convoy
