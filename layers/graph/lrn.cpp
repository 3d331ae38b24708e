#include "layers/graph/lrn.h"

#include "layers/graph/read_layer.h"
#include "layers/graph/write_layer.h"

namespace convoy {

Lrn Lrn::read(TomlTable& table) {
  Lrn op;
  if (table.word("region", {"across", "within"}) == "within") op.region = Region::within;
  op.size = table.integer("size", 1, 99).value_or(op.size);
  if (op.size % 2 == 0) table.refuse("size", "must be odd: as many neighbours on each side");
  op.alpha = table.number("alpha", 0, 1e6).value_or(op.alpha);
  op.beta = table.number("beta", 0, 100).value_or(op.beta);
  op.k = table.number("k", 1e-6, 1e6).value_or(op.k);
  return op;
}

void Lrn::write(TomlRow& row) const {
  const Lrn standard;
  if (region == Region::within) row.add("region", std::string_view("within"));
  row.add("size", size, standard.size);
  row.add("alpha", alpha, standard.alpha);
  row.add("beta", beta, standard.beta);
  row.add("k", k, standard.k);
}

}  // namespace convoy
