#pragma once

#include "layers/graph/layer_types.h"

namespace convoy {

class TomlRow;
class TomlTable;

/// Pooling over windows, or over the whole input (`global`): the maximum, the average, or the square root of
/// the sum of squares (l2; PyTorch's LPPool2d of norm 2), whose gradient is 0 where that sum is 0.
struct Pooling : LayerDefaults {
  enum class Kind : std::uint8_t { max, average, l2 };
  Kind kind = Kind::max;
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_y = 0, padding_x = 0;
  bool same =
      false;  ///< ceil(input / stride) outputs, as TensorFlow; padding before the input follows from it
  bool round_up = false;  ///< output size rounded up, as in Caffe's networks
  bool count_padding =
      true;             ///< average: padding zeros count in the divisor (positions past the padding never do)
  bool global = false;  ///< one window: the whole input

  static Pooling read_max(TomlTable& table) { return read(table, Kind::max); }
  static Pooling read_average(TomlTable& table) { return read(table, Kind::average); }
  static Pooling read_l2(TomlTable& table) { return read(table, Kind::l2); }
  void write(TomlRow& row) const;
  std::string_view type() const;
  void settle(std::span<const Shape> inputs);
  Shape output(std::span<const Shape> inputs) const;
  BackwardNeeds needs() const { return {.inputs = kind == Kind::l2, .output = kind == Kind::l2}; }
  /// Height and width of a window, for one channel.
  Shape window(const Shape& input) const {
    return global ? Shape{1, input.height, input.width} : Shape{1, kernel_y, kernel_x};
  }
  Window window_y() const { return {kernel_y, stride_y, padding_y, 1, 1, global}; }
  Window window_x() const { return {kernel_x, stride_x, padding_x, 1, 1, global}; }
  friend bool operator==(const Pooling&, const Pooling&) = default;

 private:
  static Pooling read(TomlTable& table, Kind kind);
};

}  // namespace convoy
