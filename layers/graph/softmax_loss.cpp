#include "layers/graph/softmax_loss.h"

#include <fmt/format.h>

namespace convoy {

Shape SoftmaxLoss::output(std::span<const Shape> inputs) const {
  const Shape& in = inputs[0];
  if (in.pixels() != 1) {
    throw ShapeError(
        fmt::format("it takes a vector of class scores, but its input is {}x{}x{}; put a fully connected "
                    "layer or a global pool before it",
                    in.channels, in.height, in.width));
  }
  return in;
}

}  // namespace convoy
