#include "layers/cpu/loss_layer.h"

namespace convoy::cpu {

Lowered lower(const SoftmaxLoss& op, const Site& site, Inputs inputs, Engine& engine) {
  const auto smoothing = static_cast<float>(op.label_smoothing);
  const float share = smoothing / static_cast<float>(site.output.channels);
  return lower_loss(op, SoftmaxCrossEntropy{smoothing, share}, site, inputs, engine);
}

}  // namespace convoy::cpu
