#include "layers/graph/pooling.h"

#include <fmt/format.h>

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Pooling Pooling::read(TomlTable& table, Kind kind) {
  Pooling op;
  op.kind = kind;
  op.global = table.boolean("global").value_or(false);
  if (op.global) {
    for (const char* key : {"kernel", "stride", "padding"}) {
      if (table.has(key))
        table.refuse(key, fmt::format("a global pool takes the whole input; leave the {} out", key));
    }
  }
  const auto kernel = table.pair("kernel", 1, kMostWindow);
  if (!op.global) std::tie(op.kernel_y, op.kernel_x) = required(table, "kernel", kernel);
  std::tie(op.stride_y, op.stride_x) = table.pair("stride", 1, kMostWindow).value_or(std::pair{1, 1});
  const Padding padding = read_padding(table, false);
  op.padding_y = padding.top;
  op.padding_x = padding.left;
  op.same = padding.same;
  if (!op.global && (op.padding_y >= op.kernel_y || op.padding_x >= op.kernel_x)) {
    table.refuse("padding", "must be smaller than the kernel, or a window would see only padding");
  }
  op.round_up = table.word("rounding", {"down", "up"}).value_or("down") == "up";
  if (op.same && op.round_up)
    table.refuse("rounding", "padding = \"same\" gives the output its size; leave the rounding out");
  if (kind == Kind::average) op.count_padding = table.boolean("count_padding").value_or(!op.same);
  if (op.same && kind == Kind::average && op.count_padding)
    table.refuse("count_padding", "padding = \"same\" pads the sides unevenly and does not count it");
  return op;
}

void Pooling::write(TomlRow& row) const {
  if (global) {
    row.add("global", true);
  } else {
    row.add("kernel", std::pair{kernel_y, kernel_x});
  }
  row.add("stride", std::pair{stride_y, stride_x}, kOne);
  write_padding(row, {padding_y, padding_x, padding_y, padding_x, same});
  row.add("rounding", std::string_view(round_up ? "up" : "down"), std::string_view("down"));
  if (kind == Kind::average) row.add("count_padding", count_padding, !same);
}

std::string_view Pooling::type() const {
  switch (kind) {
    case Kind::max:
      return "max_pool";
    case Kind::average:
      return "average_pool";
    case Kind::l2:
      return "l2_pool";
  }
  return "?";
}

void Pooling::settle(std::span<const Shape> inputs) {
  if (!same || global) return;
  padding_y = same_padding(inputs[0].height, window_y()).first;
  padding_x = same_padding(inputs[0].width, window_x()).first;
}

Shape Pooling::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  if (global) return {in.channels, 1, 1};
  if (same) return {in.channels, (in.height + stride_y - 1) / stride_y, (in.width + stride_x - 1) / stride_x};
  const Shape out{in.channels, output_size(in.height, window_y(), padding_y, round_up, "height"),
                  output_size(in.width, window_x(), padding_x, round_up, "width")};
  const bool overhang = (out.height - 1) * stride_y + kernel_y > in.height + 2 * padding_y ||
                        (out.width - 1) * stride_x + kernel_x > in.width + 2 * padding_x;
  if (kind == Kind::average && count_padding && overhang && (padding_y > 0 || padding_x > 0)) {
    throw ShapeError(
        "its windows reach past the padding when rounded up; set count_padding = false or rounding = "
        "\"down\"");
  }
  return out;
}

}  // namespace convoy
