#include "layers/graph/softmax_loss.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

SoftmaxLoss SoftmaxLoss::read(TomlTable& table) {
  SoftmaxLoss op;
  op.read_place(table);
  op.label_smoothing = table.number("label_smoothing", 0, 1).value_or(op.label_smoothing);
  return op;
}

void SoftmaxLoss::write(TomlRow& row) const {
  write_place(row);
  row.add("label_smoothing", label_smoothing, SoftmaxLoss{}.label_smoothing);
}

}  // namespace convoy
