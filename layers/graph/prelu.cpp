#include "layers/graph/prelu.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Prelu Prelu::read(TomlTable& table) {
  Prelu op;
  op.shared = table.boolean("shared").value_or(op.shared);
  return op;
}

void Prelu::write(TomlRow& row) const { row.add("shared", shared, Prelu{}.shared); }

std::vector<ParameterSpec> Prelu::parameters(std::span<const Shape> inputs) const {
  const std::int64_t slopes = shared ? 1 : inputs[0].channels;
  return {{"slope", {slopes}, ParameterKind::norm, 1, 1, 1, {Initializer::Kind::constant, 0.25}}};
}

}  // namespace convoy
