#pragma once

#include <cstdint>

#include "layers/core/philox.h"

namespace convoy {

/// The order in which an epoch visits a data set: a keyed permutation of [0, size), computed in place of
/// stored.
///
/// A Feistel network over pairs (left, right) of a grid of about sqrt(size) × sqrt(size), with Philox as its
/// round function and additions modulo the sides of the grid; what falls in the few cells past `size` walks
/// on (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). Constant memory at any size,
/// at() in O(1), and a start in the middle of an epoch costs nothing.
class EpochOrder {
 public:
  /// 0 <= size < 2^62, 0 <= epoch < 2^56; without `shuffle` the order is 0, 1, 2, ... Orders of other
  /// `instance`s are independent; 0 is the data set's.
  EpochOrder(std::uint64_t seed, std::int64_t epoch, std::int64_t size, bool shuffle,
             std::uint32_t instance = 0);

  /// Index in the data set of the sample at `position` of the epoch, both in [0, size).
  std::int64_t at(std::int64_t position) const;

 private:
  std::uint64_t walk(std::uint64_t cell) const;

  RandomStream stream_;
  std::uint64_t epoch_;
  std::uint64_t size_;
  std::uint64_t rows_;
  std::uint64_t columns_;
  bool shuffle_;
};

/// A contiguous share of a global batch.
struct Share {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// The share of `total` samples that `rank` of `ranks` takes: [total * rank / ranks, total * (rank + 1) /
/// ranks). No share is over ceil(total / ranks); some are empty when total < ranks.
Share share_of(std::int64_t total, int rank, int ranks);

}  // namespace convoy
