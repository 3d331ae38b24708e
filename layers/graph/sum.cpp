#include "layers/graph/sum.h"

#include <fmt/format.h>

namespace convoy {

Shape Sum::output(std::span<const Shape> inputs) const {
  for (const Shape& in : inputs) {
    if (in != inputs[0]) {
      throw ShapeError(fmt::format("its inputs differ in shape: {}x{}x{} and {}x{}x{}", inputs[0].channels,
                                   inputs[0].height, inputs[0].width, in.channels, in.height, in.width));
    }
  }
  return inputs[0];
}

}  // namespace convoy
