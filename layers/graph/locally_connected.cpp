#include "layers/graph/locally_connected.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

LocallyConnected LocallyConnected::read(TomlTable& table) {
  LocallyConnected op;
  op.outputs = required(table, "outputs", table.integer("outputs", 1, kMostChannels));
  std::tie(op.kernel_y, op.kernel_x) = required(table, "kernel", table.pair("kernel", 1, kMostWindow));
  std::tie(op.stride_y, op.stride_x) = table.pair("stride", 1, kMostWindow).value_or(std::pair{1, 1});
  std::tie(op.padding_y, op.padding_x) = table.pair("padding", 0, kMostWindow).value_or(std::pair{0, 0});
  if (op.padding_y >= op.kernel_y || op.padding_x >= op.kernel_x)
    table.refuse("padding", "must be smaller than the kernel, or a kernel would see only padding");
  op.bias = table.boolean("bias").value_or(true);
  op.weight_init = read_initializer(table, "weight_init", op.weight_init);
  op.bias_init = read_initializer(table, "bias_init", op.bias_init);
  return op;
}

void LocallyConnected::write(TomlRow& row) const {
  const LocallyConnected standard;
  row.add("outputs", outputs);
  row.add("kernel", std::pair{kernel_y, kernel_x});
  row.add("stride", std::pair{stride_y, stride_x}, kOne);
  row.add("padding", std::pair{padding_y, padding_x}, kNone);
  row.add("bias", bias, standard.bias);
  write_initializer(row, "weight_init", weight_init, standard.weight_init);
  write_initializer(row, "bias_init", bias_init, standard.bias_init);
}

Shape LocallyConnected::output(std::span<const Shape> inputs) const {
  return {outputs, output_size(inputs[0].height, window_y(), padding_y, false, "height"),
          output_size(inputs[0].width, window_x(), padding_x, false, "width")};
}

std::vector<ParameterSpec> LocallyConnected::parameters(std::span<const Shape> inputs) const {
  const std::int64_t window = kernel_y * kernel_x;
  const std::int64_t fan_in = inputs[0].channels * window;
  const std::int64_t fan_out = outputs * window;
  const std::int64_t positions = output(inputs).pixels();
  std::vector<ParameterSpec> specs{
      {"weight", {outputs, positions, fan_in}, ParameterKind::weight, fan_in, fan_out, 1, weight_init}};
  if (bias)
    specs.push_back({"bias", {outputs, positions}, ParameterKind::bias, fan_in, fan_out, 1, bias_init});
  return specs;
}

std::int64_t LocallyConnected::macs(std::span<const Shape> inputs) const {
  return output(inputs).elements() * inputs[0].channels * kernel_y * kernel_x;
}

}  // namespace convoy
