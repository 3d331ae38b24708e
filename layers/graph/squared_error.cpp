#include "layers/graph/squared_error.h"

#include "layers/graph/write_layer.h"

namespace convoy {

SquaredError SquaredError::read(TomlTable& table) {
  SquaredError op;
  op.read_place(table);
  return op;
}

void SquaredError::write(TomlRow& row) const { write_place(row); }

}  // namespace convoy
