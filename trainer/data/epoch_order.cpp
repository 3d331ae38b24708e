#include "trainer/data/epoch_order.h"

#include <cmath>

#include "layers/core/error.h"

namespace convoy {
namespace {

/// A few samples leave the round function few inputs to differ by, so that it takes more rounds to come near
/// to all permutations. Part of what a resumed run repeats: never change.
constexpr std::uint32_t rounds_of(std::uint64_t size) { return size < 256 ? 24 : 8; }

/// (value + random) mod side, for value < side < 2^32.
std::uint64_t shifted(std::uint64_t value, std::uint32_t word, std::uint64_t side) {
  const std::uint64_t sum = value + uniform_below(word, static_cast<std::uint32_t>(side));
  return sum < side ? sum : sum - side;
}

}  // namespace

EpochOrder::EpochOrder(std::uint64_t seed, std::int64_t epoch, std::int64_t size, bool shuffle,
                       std::uint32_t instance)
    : stream_(seed, Purpose::shuffle, instance),
      epoch_(static_cast<std::uint64_t>(epoch)),
      size_(static_cast<std::uint64_t>(size)),
      rows_(1),
      columns_(1),
      shuffle_(shuffle) {
  if (size < 0 || size >= (std::int64_t{1} << 62) || epoch < 0 || epoch >= (std::int64_t{1} << 56)) {
    fail(ExitCode::internal, "order of epoch {} over {} samples: out of range", epoch, size);
  }
  if (size == 0) return;
  rows_ = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(size)));
  while (rows_ * rows_ < size_) ++rows_;
  columns_ = (size_ + rows_ - 1) / rows_;
}

std::uint64_t EpochOrder::walk(std::uint64_t cell) const {
  std::uint64_t row = cell / columns_;
  std::uint64_t column = cell % columns_;
  const std::uint32_t rounds = rounds_of(size_);
  for (std::uint32_t round = 0; round < rounds; round += 2) {
    row = shifted(row, stream_.block(epoch_, column, round).word[0], rows_);
    column = shifted(column, stream_.block(epoch_, row, round + 1).word[0], columns_);
  }
  return row * columns_ + column;
}

std::int64_t EpochOrder::at(std::int64_t position) const {
  const auto start = static_cast<std::uint64_t>(position);
  if (start >= size_) {
    fail(ExitCode::internal, "position {} of an epoch of {} samples", position, size_);
  }
  if (!shuffle_) return position;
  std::uint64_t cell = walk(start);
  while (cell >= size_) cell = walk(cell);
  return static_cast<std::int64_t>(cell);
}

Share share_of(std::int64_t total, int rank, int ranks) {
  const std::int64_t first = total * rank / ranks;
  return {first, total * (rank + 1) / ranks - first};
}

}  // namespace convoy
