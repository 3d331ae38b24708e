#include "layers/graph/dropout.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Dropout Dropout::read(TomlTable& table) {
  Dropout op;
  op.rate = table.number("rate", 0, 0.999).value_or(op.rate);
  return op;
}

void Dropout::write(TomlRow& row) const { row.add("rate", rate, Dropout{}.rate); }

}  // namespace convoy
