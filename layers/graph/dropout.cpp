#include "layers/graph/dropout.h"

#include "layers/graph/read_layer.h"

namespace convoy {

Dropout Dropout::read(TomlTable& table) {
  Dropout op;
  op.rate = table.number("rate", 0, 0.999).value_or(op.rate);
  return op;
}

}  // namespace convoy
