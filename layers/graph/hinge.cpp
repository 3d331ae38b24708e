#include "layers/graph/hinge.h"

#include "layers/graph/read_layer.h"

namespace convoy {

Hinge Hinge::read(TomlTable& table) {
  Hinge op;
  op.read_place(table);
  op.norm = table.integer("norm", 1, 2).value_or(op.norm);
  return op;
}

}  // namespace convoy
