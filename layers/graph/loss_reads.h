#pragma once

#include "layers/core/second_label.h"
#include "layers/graph/backend.h"

namespace convoy {

/// What a pass of a loss reads: `first`, the labels, and where samples are mixed the second labels.
inline std::vector<Operand> loss_reads(const Operand& first, const Site& site) {
  std::vector<Operand> reads{first, {Role::labels, 0, {-1, site.batch * 4}}};
  if (site.second_labels) {
    const auto bytes = static_cast<std::int64_t>(sizeof(SecondLabel));
    reads.push_back({Role::second_labels, 0, {-1, site.batch * bytes}});
  }
  return reads;
}

/// The second labels among a pass's bound reads; null where there are none.
inline const SecondLabel* second_labels_of(std::span<void* const> reads) {
  return reads.size() > 2 ? static_cast<const SecondLabel*>(reads[2]) : nullptr;
}

}  // namespace convoy
