#include "layers/graph/scale.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Scale Scale::read(TomlTable& table) {
  Scale op;
  op.shift = table.boolean("shift").value_or(op.shift);
  return op;
}

void Scale::write(TomlRow& row) const { row.add("shift", shift, Scale{}.shift); }

std::vector<ParameterSpec> Scale::parameters(std::span<const Shape> inputs) const {
  const std::int64_t channels = inputs[0].channels;
  std::vector<ParameterSpec> specs{
      {"scale", {channels}, ParameterKind::norm, 1, 1, 1, {Initializer::Kind::constant, 1}}};
  if (shift)
    specs.push_back({"shift", {channels}, ParameterKind::norm, 1, 1, 1, {Initializer::Kind::constant, 0}});
  return specs;
}

}  // namespace convoy
