#include "layers/graph/hinge.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Hinge Hinge::read(TomlTable& table) {
  Hinge op;
  op.read_place(table);
  op.norm = table.integer("norm", 1, 2).value_or(op.norm);
  return op;
}

void Hinge::write(TomlRow& row) const {
  write_place(row);
  row.add("norm", norm, Hinge{}.norm);
}

}  // namespace convoy
