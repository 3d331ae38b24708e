#include "layers/cpu/loss_layer.h"

namespace convoy::cpu {

Lowered lower(const SigmoidCrossEntropy& op, const Site& site, Inputs inputs, Engine& engine) {
  return lower_loss(op, SigmoidCrossEntropyOfScores{}, site, inputs, engine);
}

}  // namespace convoy::cpu
