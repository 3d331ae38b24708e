#include "layers/graph/elementwise.h"

#include <fmt/format.h>

namespace convoy {
namespace {

Elementwise make(Elementwise::Kind kind) {
  Elementwise op;
  op.kind = kind;
  return op;
}

}  // namespace

Elementwise Elementwise::read_sum(TomlTable&) { return make(Kind::sum); }

Elementwise Elementwise::read_product(TomlTable&) { return make(Kind::product); }

Elementwise Elementwise::read_maximum(TomlTable&) { return make(Kind::maximum); }

std::string_view Elementwise::type() const {
  switch (kind) {
    case Kind::sum:
      return "sum";
    case Kind::product:
      return "product";
    case Kind::maximum:
      return "maximum";
  }
  return "?";
}

Shape Elementwise::output(std::span<const Shape> inputs) const {
  for (const Shape& in : inputs) {
    if (in != inputs[0]) {
      throw ShapeError(fmt::format("its inputs differ in shape: {}x{}x{} and {}x{}x{}", inputs[0].channels,
                                   inputs[0].height, inputs[0].width, in.channels, in.height, in.width));
    }
  }
  return inputs[0];
}

}  // namespace convoy
