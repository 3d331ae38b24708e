#include "layers/cpu/loss_layer.h"

namespace convoy::cpu {

Lowered lower(const Hinge& op, const Site& site, Inputs inputs, Engine& engine) {
  return lower_loss(op, OneVersusAllHinge{op.norm == 2}, site, inputs, engine);
}

}  // namespace convoy::cpu
