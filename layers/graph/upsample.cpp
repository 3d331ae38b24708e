#include "layers/graph/upsample.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Upsample Upsample::read(TomlTable& table) {
  Upsample op;
  const auto factor = table.pair("factor", 1, kMostWindow);
  op.size = table.pair("size", 1, kMostChannels);
  if (factor && op.size) table.refuse("size", "give the factor or the size, not both");
  if (!op.size) std::tie(op.factor_y, op.factor_x) = required(table, "factor", factor);
  return op;
}

void Upsample::write(TomlRow& row) const {
  if (size) {
    row.add("size", *size);
  } else {
    row.add("factor", std::pair{factor_y, factor_x});
  }
}

Shape Upsample::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  if (size) return {in.channels, size->first, size->second};
  return {in.channels, in.height * factor_y, in.width * factor_x};
}

}  // namespace convoy
