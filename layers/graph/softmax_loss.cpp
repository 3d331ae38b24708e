#include "layers/graph/softmax_loss.h"

#include "layers/graph/read_layer.h"

namespace convoy {

SoftmaxLoss SoftmaxLoss::read(TomlTable& table) {
  SoftmaxLoss op;
  op.read_place(table);
  op.label_smoothing = table.number("label_smoothing", 0, 1).value_or(op.label_smoothing);
  return op;
}

}  // namespace convoy
