#include "comm/segments.h"

#include <algorithm>

namespace convoy {

std::int64_t Segments::blocks() const {
  const std::int64_t block = sliced ? segment : segment * ranks;
  return (count + block - 1) / block;
}

Slice Segments::at(std::int64_t block, int rank) const {
  if (sliced) {
    const std::int64_t first = block * segment;
    return {rank * count + first, std::min(segment, count - first)};
  }
  // Equal segments in the last block too, so that no rank idles.
  const std::int64_t first = block * segment * ranks;
  const std::int64_t length = std::min(segment * ranks, count - first);
  const std::int64_t share = (length + ranks - 1) / ranks;
  const std::int64_t begin = std::min(rank * share, length);
  return {first + begin, std::min(share, length - begin)};
}

}  // namespace convoy
