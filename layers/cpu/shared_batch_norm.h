#pragma once

#include "layers/cpu/lower.h"

namespace convoy::cpu {

/// Batch norm for training whose statistics are those of all ranks (Site::shared_statistics): own loops, in
/// any layout that has a ChannelView.
Lowered lower_shared(const BatchNorm& op, const Site& site, Inputs inputs, Engine& engine);

}  // namespace convoy::cpu
