#include "layers/graph/channel_slice.h"

#include <fmt/format.h>

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

ChannelSlice ChannelSlice::read(TomlTable& table) {
  ChannelSlice op;
  op.first = table.integer("first", 0, kMostChannels).value_or(op.first);
  op.count = required(table, "count", table.integer("count", 1, kMostChannels));
  return op;
}

void ChannelSlice::write(TomlRow& row) const {
  row.add("first", first, ChannelSlice{}.first);
  row.add("count", count);
}

Shape ChannelSlice::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  if (first + count > in.channels) {
    throw ShapeError(fmt::format("channels {} to {} are asked for, but its input has {}, counted from 0",
                                 first, first + count - 1, in.channels));
  }
  return {count, in.height, in.width};
}

}  // namespace convoy
