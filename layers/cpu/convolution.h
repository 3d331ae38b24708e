#pragma once

#include <optional>

#include "layers/cpu/convolution_variant.h"
#include "layers/cpu/lower.h"

namespace convoy::cpu {

/// The layer run as `variant` says. Error where oneDNN has no such kernel; for our own loops nullopt where
/// they do not serve.
std::optional<Lowered> lower_as(const ConvolutionVariant& variant, const Convolution& op, const Site& site,
                                Inputs inputs, Engine& engine);

/// The variant that rules of thumb take.
ConvolutionVariant usual_variant(const Convolution& op, const Site& site, Inputs inputs, Engine& engine);

/// Backend::try_kernels.
std::optional<KernelTrial> try_convolution(const Convolution& op, const Site& site, const Layout& input,
                                           Backend& backend, Engine& engine, KernelTimer& timer);

}  // namespace convoy::cpu
