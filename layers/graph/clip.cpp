#include "layers/graph/clip.h"

#include <fmt/format.h>

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Clip Clip::read(TomlTable& table) {
  Clip op;
  op.minimum = table.number("minimum", -1e30, 1e30).value_or(0);
  op.maximum = required(table, "maximum", table.number("maximum", -1e30, 1e30));
  if (op.maximum <= op.minimum)
    table.refuse("maximum", fmt::format("must be greater than the minimum, {}", op.minimum));
  return op;
}

void Clip::write(TomlRow& row) const {
  row.add("minimum", minimum, Clip{}.minimum);
  row.add("maximum", maximum);
}

}  // namespace convoy
