#include "layers/graph/sigmoid_cross_entropy.h"

namespace convoy {

SigmoidCrossEntropy SigmoidCrossEntropy::read(TomlTable& table) {
  SigmoidCrossEntropy op;
  op.read_place(table);
  return op;
}

}  // namespace convoy
