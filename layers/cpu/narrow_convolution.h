#pragma once

#include <optional>

#include "layers/cpu/lower.h"

namespace convoy::cpu {

/// A layer for convolutions whose channel counts waste much of oneDNN's blocks of 16 (1, 20 and 50 channels
/// in LeNet): windows are read where they lie, and only the output's last vector is partly empty. nullopt
/// where it does not serve: groups, dilation along x, half precision, channels that fill blocks of 16, or a
/// processor without AVX-512.
std::optional<Lowered> lower_narrow(const Convolution& op, const Site& site, Inputs inputs, Engine& engine);

}  // namespace convoy::cpu
