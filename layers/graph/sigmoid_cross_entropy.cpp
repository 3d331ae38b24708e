#include "layers/graph/sigmoid_cross_entropy.h"

#include "layers/graph/write_layer.h"

namespace convoy {

SigmoidCrossEntropy SigmoidCrossEntropy::read(TomlTable& table) {
  SigmoidCrossEntropy op;
  op.read_place(table);
  return op;
}

void SigmoidCrossEntropy::write(TomlRow& row) const { write_place(row); }

}  // namespace convoy
