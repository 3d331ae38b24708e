#pragma once

#include <cstdint>

#include "layers/core/slice.h"

namespace convoy {

/// How the data of a collective is cut: into blocks that go through the network one after another, and each
/// block into one segment per rank.
struct Segments {
  std::int64_t count = 0;    ///< elements: of all data, or of one rank's slice when `sliced`
  std::int64_t segment = 1;  ///< elements of a segment, at most
  int ranks = 1;
  bool sliced = false;  ///< the segments of rank j lie in slice j, as in reduce-scatter and all-gather

  std::int64_t blocks() const;
  /// The segment of `rank` in `block`, in elements of the data; may be empty at the end of the data.
  Slice at(std::int64_t block, int rank) const;
};

}  // namespace convoy
