#include "layers/graph/deconvolution.h"

#include <fmt/format.h>

#include <algorithm>

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {
namespace {

std::int64_t output_extent(std::int64_t input, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                           std::int64_t output_padding, std::int64_t dilation, std::string_view axis) {
  const std::int64_t whole = (input - 1) * stride + dilation * (kernel - 1) + 1 + output_padding;
  if (whole <= 2 * padding) {
    throw ShapeError(fmt::format("its padding of {} on either side leaves nothing of {} pixels along the {}",
                                 padding, whole, axis));
  }
  return whole - 2 * padding;
}

/// One output sees every stride-th place of the kernel.
Window window(std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
  const std::int64_t extent = dilation * (kernel - 1) + 1;
  const std::int64_t before = extent - 1 - padding;  // outputs before an input pixel that it reaches
  const std::int64_t floor = before >= 0 ? before / stride : -((stride - 1 - before) / stride);
  return {.kernel = (extent - 1) / stride + 1, .padding = floor, .upscale = stride};
}

}  // namespace

Deconvolution Deconvolution::read(TomlTable& table) {
  Deconvolution op;
  const std::pair<std::int64_t, std::int64_t> one{1, 1};
  const std::pair<std::int64_t, std::int64_t> none{0, 0};
  op.outputs = required(table, "outputs", table.integer("outputs", 1, kMostChannels));
  std::tie(op.kernel_y, op.kernel_x) = required(table, "kernel", table.pair("kernel", 1, kMostWindow));
  std::tie(op.stride_y, op.stride_x) = table.pair("stride", 1, kMostWindow).value_or(one);
  std::tie(op.padding_y, op.padding_x) = table.pair("padding", 0, kMostWindow).value_or(none);
  std::tie(op.dilation_y, op.dilation_x) = table.pair("dilation", 1, kMostWindow).value_or(one);
  std::tie(op.output_padding_y, op.output_padding_x) =
      table.pair("output_padding", 0, kMostWindow).value_or(none);
  if (op.output_padding_y >= op.stride_y || op.output_padding_x >= op.stride_x) {
    table.refuse("output_padding", "must be smaller than the stride");
  }
  op.groups = table.integer("groups", 1, kMostChannels).value_or(1);
  op.bias = table.boolean("bias").value_or(true);
  op.weight_init = read_initializer(table, "weight_init", op.weight_init, true);
  op.bias_init = read_initializer(table, "bias_init", op.bias_init);
  return op;
}

void Deconvolution::write(TomlRow& row) const {
  const Deconvolution standard;
  row.add("outputs", outputs);
  row.add("kernel", std::pair{kernel_y, kernel_x});
  row.add("stride", std::pair{stride_y, stride_x}, kOne);
  row.add("padding", std::pair{padding_y, padding_x}, kNone);
  row.add("dilation", std::pair{dilation_y, dilation_x}, kOne);
  row.add("output_padding", std::pair{output_padding_y, output_padding_x}, kNone);
  row.add("groups", groups, standard.groups);
  row.add("bias", bias, standard.bias);
  write_initializer(row, "weight_init", weight_init, standard.weight_init);
  write_initializer(row, "bias_init", bias_init, standard.bias_init);
}

Shape Deconvolution::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  if (in.channels % groups != 0 || outputs % groups != 0) {
    throw ShapeError(fmt::format("its {} groups do not divide its {} input channels and {} outputs", groups,
                                 in.channels, outputs));
  }
  return {
      outputs,
      output_extent(in.height, kernel_y, stride_y, padding_y, output_padding_y, dilation_y, "height"),
      output_extent(in.width, kernel_x, stride_x, padding_x, output_padding_x, dilation_x, "width"),
  };
}

std::vector<ParameterSpec> Deconvolution::parameters(std::span<const Shape> inputs) const {
  const std::int64_t window = kernel_y * kernel_x;
  const std::int64_t reach = inputs[0].channels / groups * window / (stride_y * stride_x);
  const std::int64_t fan_in = std::max<std::int64_t>(reach, 1);
  const std::int64_t fan_out = outputs / groups * window;
  std::vector<ParameterSpec> specs{{"weight",
                                    {inputs[0].channels, outputs / groups, kernel_y, kernel_x},
                                    ParameterKind::weight,
                                    fan_in,
                                    fan_out,
                                    groups,
                                    weight_init}};
  if (bias) specs.push_back({"bias", {outputs}, ParameterKind::bias, fan_in, fan_out, 1, bias_init});
  return specs;
}

std::int64_t Deconvolution::macs(std::span<const Shape> inputs) const {
  return inputs[0].elements() * (outputs / groups) * kernel_y * kernel_x;
}

Window Deconvolution::window_y() const { return window(kernel_y, stride_y, padding_y, dilation_y); }
Window Deconvolution::window_x() const { return window(kernel_x, stride_x, padding_x, dilation_x); }

}  // namespace convoy
