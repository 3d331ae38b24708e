#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.h"

namespace convoy {

/// out[i] = parts[0][i] ∘ parts[1][i] ∘ …, from left to right, for i in [0, count). `out` may be one of the
/// parts. Parts must not overlap otherwise. Deterministic: every element is reduced in the order of the
/// parts.
void reduce_in_order(std::span<const void* const> parts, void* out, std::int64_t count, Element element,
                     Reduction reduction);

}  // namespace convoy
