#include "layers/graph/crop.h"

#include <fmt/format.h>

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Crop Crop::read(TomlTable& table) {
  Crop op;
  op.size = table.pair("size", 1, kMostChannels);
  op.centered = table.boolean("centered").value_or(false);
  const auto offset = table.pair("offset", 0, kMostChannels);
  if (op.centered && offset) table.refuse("offset", "a centered crop has its own offset; leave it out");
  std::tie(op.offset_y, op.offset_x) = offset.value_or(std::pair{0, 0});
  return op;
}

void Crop::write(TomlRow& row) const {
  if (size) row.add("size", *size);
  row.add("centered", centered, false);
  row.add("offset", std::pair{offset_y, offset_x}, kNone);
}

Shape Crop::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  const auto [height, width] = size.value_or(std::pair{inputs.back().height, inputs.back().width});
  const auto check = [](std::int64_t offset, std::int64_t part, std::int64_t whole, std::string_view axis) {
    if (offset + part > whole) {
      throw ShapeError(fmt::format("its part of {} from {} on reaches past its input of {} along the {}",
                                   part, offset, whole, axis));
    }
  };
  check(offset_y, height, in.height, "height");
  check(offset_x, width, in.width, "width");
  return {in.channels, height, width};
}

std::pair<std::int64_t, std::int64_t> Crop::begin(std::span<const Shape> inputs) const {
  if (!centered) return {offset_y, offset_x};
  const Shape out = output(inputs);
  return {(inputs[0].height - out.height) / 2, (inputs[0].width - out.width) / 2};
}

}  // namespace convoy
