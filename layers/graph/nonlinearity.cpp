#include "layers/graph/nonlinearity.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

namespace {

Nonlinearity make(Nonlinearity::Kind kind, double alpha) {
  Nonlinearity op;
  op.kind = kind;
  op.alpha = alpha;
  return op;
}

}  // namespace

Nonlinearity Nonlinearity::read_relu(TomlTable& table) {
  return make(Kind::relu, table.number("slope", -100, 100).value_or(0));
}

Nonlinearity Nonlinearity::read_elu(TomlTable& table) {
  return make(Kind::elu, table.number("alpha", -100, 100).value_or(1));
}

Nonlinearity Nonlinearity::read_sigmoid(TomlTable&) { return make(Kind::sigmoid, 0); }

Nonlinearity Nonlinearity::read_tanh(TomlTable&) { return make(Kind::tanh, 0); }

std::string_view Nonlinearity::type() const {
  switch (kind) {
    case Kind::relu:
      return "relu";
    case Kind::elu:
      return "elu";
    case Kind::sigmoid:
      return "sigmoid";
    case Kind::tanh:
      return "tanh";
  }
  return "?";
}

void Nonlinearity::write(TomlRow& row) const {
  if (kind == Kind::relu) row.add("slope", alpha, 0.0);
  if (kind == Kind::elu) row.add("alpha", alpha, 1.0);
}

}  // namespace convoy
