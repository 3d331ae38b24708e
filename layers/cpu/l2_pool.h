#pragma once

#include "layers/cpu/lower.h"

namespace convoy::cpu {

/// Pooling of kind l2 by own loops, in the layout that the input has.
Lowered lower_l2_pool(const Pooling& op, const Site& site, Inputs inputs, Engine& engine);

}  // namespace convoy::cpu
