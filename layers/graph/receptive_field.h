#pragma once

#include <vector>

#include "layers/graph/graph.h"

namespace convoy {

/// What one value of an activation sees of the network's input, along one axis: `size` pixels, the first of
/// neighbouring values `stride` pixels apart, the first value's window beginning at `offset` (negative: in
/// the padding). Windows that see the whole input have its size.
struct ReceptiveField {
  std::int64_t size = 1;
  std::int64_t stride = 1;
  std::int64_t offset = 0;
};

struct ReceptiveFields {
  ReceptiveField y;
  ReceptiveField x;
};

/// By activation. Where paths of different windows meet, the union of them.
std::vector<ReceptiveFields> receptive_fields(const Graph& graph);

}  // namespace convoy
