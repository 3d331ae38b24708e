#include "layers/graph/pad_channels.h"

#include <fmt/format.h>

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

PadChannels PadChannels::read(TomlTable& table) {
  PadChannels op;
  op.outputs = required(table, "outputs", table.integer("outputs", 1, kMostChannels));
  op.before = table.integer("before", 0, kMostChannels).value_or(0);
  return op;
}

void PadChannels::write(TomlRow& row) const {
  row.add("outputs", outputs);
  row.add("before", before, PadChannels{}.before);
}

Shape PadChannels::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  if (before + in.channels > outputs) {
    throw ShapeError(fmt::format("its {} outputs do not hold {} channels of zeros and {} of its input",
                                 outputs, before, in.channels));
  }
  return {outputs, in.height, in.width};
}

}  // namespace convoy
