#include "layers/graph/fully_connected.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

FullyConnected FullyConnected::read(TomlTable& table) {
  FullyConnected op;
  op.outputs = required(table, "outputs", table.integer("outputs", 1, kMostChannels));
  op.bias = table.boolean("bias").value_or(true);
  op.weight_init = read_initializer(table, "weight_init", op.weight_init);
  op.bias_init = read_initializer(table, "bias_init", op.bias_init);
  return op;
}

void FullyConnected::write(TomlRow& row) const {
  const FullyConnected standard;
  row.add("outputs", outputs);
  row.add("bias", bias, standard.bias);
  write_initializer(row, "weight_init", weight_init, standard.weight_init);
  write_initializer(row, "bias_init", bias_init, standard.bias_init);
}

std::vector<ParameterSpec> FullyConnected::parameters(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  std::vector<ParameterSpec> specs{
      {"weight", {outputs, in.elements()}, ParameterKind::weight, in.elements(), outputs, 1, weight_init}};
  if (bias) specs.push_back({"bias", {outputs}, ParameterKind::bias, in.elements(), outputs, 1, bias_init});
  return specs;
}

}  // namespace convoy
