#include "layers/graph/squared_error.h"

namespace convoy {

SquaredError SquaredError::read(TomlTable& table) {
  SquaredError op;
  op.read_place(table);
  return op;
}

}  // namespace convoy
