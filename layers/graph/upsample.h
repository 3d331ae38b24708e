#pragma once

#include <optional>

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Bilinear interpolation to `factor` times the height and width or to a given size, as PyTorch's interpolate
/// with align_corners = false: output y reads the input at (y + 0.5) · input / output − 0.5, clamped to its
/// edges. A size below the input's samples it without smoothing.
struct Upsample : LayerDefaults {
  std::int64_t factor_y = 1, factor_x = 1;
  std::optional<std::pair<std::int64_t, std::int64_t>> size;  ///< none: by the factors

  static Upsample read(TomlTable& table);
  void write(TomlRow& row) const;
  std::string_view type() const { return "upsample"; }
  Shape output(std::span<const Shape> inputs) const;
  std::int64_t macs(std::span<const Shape> inputs) const { return 4 * output(inputs).elements(); }
  BackwardNeeds needs() const { return {}; }
  /// The factor of a given size is not known here; it counts as 1.
  Window window_y() const { return {.kernel = 2, .padding = 1, .upscale = factor_y}; }
  Window window_x() const { return {.kernel = 2, .padding = 1, .upscale = factor_x}; }
  friend bool operator==(const Upsample&, const Upsample&) = default;
};

}  // namespace convoy
