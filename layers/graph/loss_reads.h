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

/// What its backward pass reads: the same, and where losses are scaled the loss scale.
inline std::vector<Operand> loss_gradient_reads(const Operand& first, const Site& site) {
  std::vector<Operand> reads = loss_reads(first, site);
  if (site.scaled_loss) reads.push_back({Role::update_state, 0, {-1, sizeof(UpdateState)}});
  return reads;
}

/// The second labels among a pass's bound reads; null where there are none.
inline const SecondLabel* second_labels_of(const Site& site, std::span<void* const> reads) {
  return site.second_labels ? static_cast<const SecondLabel*>(reads[2]) : nullptr;
}

/// The loss scale's place among those of a backward pass; null where there is none.
inline const UpdateState* update_state_of(const Site& site, std::span<void* const> reads) {
  return site.scaled_loss ? static_cast<const UpdateState*>(reads.back()) : nullptr;
}

}  // namespace convoy
