#pragma once

#include <cstdint>
#include <span>

#include "layers/core/philox.h"
#include "layers/core/second_label.h"

/// Mixup (Zhang et al. 2017, "mixup: Beyond Empirical Risk Minimization"): a sample becomes l × itself + (1 -
/// l) × another, its label likewise, l drawn from Beta(alpha, alpha).
///
/// The two at positions 2k and 2k + 1 of a global batch are each other's partners; they are random ones, for
/// the batch's order is. Both become the same mixture but for who has the larger share, so that each sample
/// counts once in all, and is decoded once where both are of one rank. What is mixed with what does not
/// depend on ranks or micro-batches.
namespace convoy {

/// The partner of a position in a global batch of `samples`; -1 for the last of an odd number, which stays as
/// it is.
constexpr std::int64_t mixup_partner(std::int64_t position, std::int64_t samples) {
  const std::int64_t partner = position ^ 1;
  return partner < samples ? partner : -1;
}

/// The larger share, max(l, 1 - l), in 1/65536: whose it is makes no difference. `index` is that of the
/// pair's first sample. `alpha` is above 0.
std::int32_t draw_mixup(double alpha, const RandomStream& stream, std::int64_t epoch, std::int64_t index);

/// Mixes the bytes of two samples with each other: each keeps `share` / 65536 of itself, halves rounded up.
void mix_pair(std::int32_t share, std::span<std::uint8_t> one, std::span<std::uint8_t> other);

/// What is in the second place of a sample that was mixed so.
constexpr SecondLabel second_label(std::int32_t label, std::int32_t share) {
  return {label, static_cast<float>(65536 - share) / 65536.F};
}

}  // namespace convoy
