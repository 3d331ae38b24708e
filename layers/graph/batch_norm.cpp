#include "layers/graph/batch_norm.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

BatchNorm BatchNorm::read(TomlTable& table) {
  BatchNorm op;
  op.epsilon = table.number("epsilon", 1e-12, 1).value_or(op.epsilon);
  op.momentum = table.number("momentum", 0, 1).value_or(op.momentum);
  return op;
}

void BatchNorm::write(TomlRow& row) const {
  row.add("epsilon", epsilon, BatchNorm{}.epsilon);
  row.add("momentum", momentum, BatchNorm{}.momentum);
}

std::vector<ParameterSpec> BatchNorm::parameters(std::span<const Shape> inputs) const {
  const std::int64_t channels = inputs[0].channels;
  return {{"scale", {channels}, ParameterKind::norm, 1, 1, 1, {Initializer::Kind::constant, 1}},
          {"shift", {channels}, ParameterKind::norm, 1, 1, 1, {Initializer::Kind::constant, 0}}};
}

std::vector<StateSpec> BatchNorm::states(std::span<const Shape> inputs) const {
  const std::int64_t channels = inputs[0].channels;
  return {{"running_mean", channels, 0, momentum}, {"running_variance", channels, 1, momentum}};
}

}  // namespace convoy
