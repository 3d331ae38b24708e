#include "layers/graph/loss.h"

#include <fmt/format.h>

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Shape Loss::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  if (in.pixels() != 1 && !map) {
    throw ShapeError(
        fmt::format("it takes a vector of class scores, but its input is {}x{}x{}; put a fully connected "
                    "layer or a global pool before it, or set map = true for a prediction at each position",
                    in.channels, in.height, in.width));
  }
  return in;
}

void Loss::read_place(TomlTable& table) {
  weight = table.number("weight", 0, 1e6).value_or(weight);
  auxiliary = table.boolean("auxiliary").value_or(auxiliary);
  map = table.boolean("map").value_or(map);
}

void Loss::write_place(TomlRow& row) const {
  row.add("weight", weight, 1.0);
  row.add("auxiliary", auxiliary, false);
  row.add("map", map, false);
}

}  // namespace convoy
