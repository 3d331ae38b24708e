#include "layers/cpu/loss_layer.h"

namespace convoy::cpu {

Lowered lower(const SquaredError& op, const Site& site, Inputs inputs, Engine& engine) {
  return lower_loss(op, HalfSquaredError{}, site, inputs, engine);
}

}  // namespace convoy::cpu
