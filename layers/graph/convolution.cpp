#include "layers/graph/convolution.h"

#include <fmt/format.h>

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Convolution Convolution::read(TomlTable& table) {
  Convolution op;
  op.outputs = required(table, "outputs", table.integer("outputs", 1, kMostChannels));
  std::tie(op.kernel_y, op.kernel_x) = required(table, "kernel", table.pair("kernel", 1, kMostWindow));
  std::tie(op.stride_y, op.stride_x) = table.pair("stride", 1, kMostWindow).value_or(std::pair{1, 1});
  const Padding padding = read_padding(table, true);
  op.padding_top = padding.top;
  op.padding_left = padding.left;
  op.padding_bottom = padding.bottom;
  op.padding_right = padding.right;
  op.same = padding.same;
  std::tie(op.dilation_y, op.dilation_x) = table.pair("dilation", 1, kMostWindow).value_or(std::pair{1, 1});
  op.groups = table.integer("groups", 1, kMostChannels).value_or(1);
  op.bias = table.boolean("bias").value_or(true);
  op.weight_init = read_initializer(table, "weight_init", op.weight_init);
  op.bias_init = read_initializer(table, "bias_init", op.bias_init);
  return op;
}

void Convolution::write(TomlRow& row) const {
  const Convolution standard;
  row.add("outputs", outputs);
  row.add("kernel", std::pair{kernel_y, kernel_x});
  row.add("stride", std::pair{stride_y, stride_x}, kOne);
  write_padding(row, {padding_top, padding_left, padding_bottom, padding_right, same});
  row.add("dilation", std::pair{dilation_y, dilation_x}, kOne);
  row.add("groups", groups, standard.groups);
  row.add("bias", bias, standard.bias);
  write_initializer(row, "weight_init", weight_init, standard.weight_init);
  write_initializer(row, "bias_init", bias_init, standard.bias_init);
}

void Convolution::settle(std::span<const Shape> inputs) {
  if (!same) return;
  std::tie(padding_top, padding_bottom) = same_padding(inputs[0].height, window_y());
  std::tie(padding_left, padding_right) = same_padding(inputs[0].width, window_x());
}

Shape Convolution::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  if (in.channels % groups != 0 || outputs % groups != 0) {
    throw ShapeError(fmt::format("its {} groups do not divide its {} input channels and {} outputs", groups,
                                 in.channels, outputs));
  }
  return {outputs, output_size(in.height, window_y(), padding_bottom, false, "height"),
          output_size(in.width, window_x(), padding_right, false, "width")};
}

std::vector<ParameterSpec> Convolution::parameters(std::span<const Shape> inputs) const {
  const std::int64_t window = kernel_y * kernel_x;
  const std::int64_t fan_in = inputs[0].channels / groups * window;
  const std::int64_t fan_out = outputs / groups * window;
  std::vector<ParameterSpec> specs{{"weight",
                                    {outputs, inputs[0].channels / groups, kernel_y, kernel_x},
                                    ParameterKind::weight,
                                    fan_in,
                                    fan_out,
                                    groups,
                                    weight_init}};
  if (bias) specs.push_back({"bias", {outputs}, ParameterKind::bias, fan_in, fan_out, 1, bias_init});
  return specs;
}

std::int64_t Convolution::macs(std::span<const Shape> inputs) const {
  return output(inputs).elements() * (inputs[0].channels / groups) * kernel_y * kernel_x;
}

}  // namespace convoy
