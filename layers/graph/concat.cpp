#include "layers/graph/concat.h"

#include <fmt/format.h>

namespace convoy {

Shape Concat::output(std::span<const Shape> inputs) const {
  Shape out{0, inputs[0].height, inputs[0].width};
  for (const Shape& in : inputs) {
    if (in.height != out.height || in.width != out.width) {
      throw ShapeError(fmt::format("its inputs differ in height or width: {}x{}x{} and {}x{}x{}",
                                   inputs[0].channels, inputs[0].height, inputs[0].width, in.channels,
                                   in.height, in.width));
    }
    out.channels += in.channels;
  }
  return out;
}

}  // namespace convoy
